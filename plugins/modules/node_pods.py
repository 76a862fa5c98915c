#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the node_pods module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_pods
short_description: Wait until a cluster knows which pods of a node run
version_added: 0.1.0
description:
  - Of a node that was stopped, the cluster goes on to say what was so before, until the node's kubelet has looked at each
    pod again. Waits until no pod's status names a container that has ended. Changes nothing.
extends_documentation_fragment:
  - inferencebox.platform.cluster
  - inferencebox.platform.cluster.reads
author: Inference-in-a-Box contributors (@inferencebox)
options:
  node:
    description: The node's name in the cluster.
    type: str
    required: true
  ctr:
    description: containerd's client on the node.
    type: path
    required: true
  socket:
    description: Where containerd answers.
    type: path
    required: true
  timeout:
    description: Seconds to wait. Check mode does not wait.
    type: float
    default: 300
"""

EXAMPLES = r"""
- name: Wait until the cluster knows that the node was stopped
  inferencebox.platform.node_pods:
    node: demo
    ctr: /usr/bin/ctr
    socket: /var/lib/inferencebox/demo/node/run/containerd.sock
"""

RETURN = r"""
outdated:
  description: In check mode, pods of which the cluster says that they run, though containers of theirs have ended.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    node_images,
)


def main() -> None:
    """Run the module."""
    module = cluster_module.ask(
        node={"type": "str", "required": True},
        ctr={"type": "path", "required": True},
        socket={"type": "path", "required": True},
        timeout={"type": "float", "default": 300},
    )
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
        api,
        pods,
    )

    given = module.params
    runtime = node_images.Runtime(given["ctr"], given["socket"])
    timeout = 0 if module.check_mode else given["timeout"]
    try:
        with api.connect(given["kubeconfig"], given["context"]) as cluster:
            outdated = pods.until_current(cluster, given["node"], runtime.running, timeout)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    if outdated and not module.check_mode:
        module.fail_json(
            msg=f"after {timeout:g} s the kubelet has not said yet what became of {', '.join(outdated)}: read its log",
            outdated=outdated,
        )
    module.exit_json(changed=False, outdated=outdated)


if __name__ == "__main__":
    main()
