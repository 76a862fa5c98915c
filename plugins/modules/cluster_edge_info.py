#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the cluster_edge_info module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_edge_info
short_description: Where callers reach a platform on a cluster
version_added: 0.1.0
description:
  - Reads the address of a Gateway, and the authority that vouches for its certificate. No key is read out. Changes nothing.
extends_documentation_fragment:
  - inferencebox.platform.cluster
  - inferencebox.platform.cluster.reads
author: Inference-in-a-Box contributors (@inferencebox)
options:
  namespace:
    description: Namespace of both objects.
    type: str
    required: true
  gateway:
    description: Name of the Gateway, or of the Service where there is none.
    type: str
    required: true
  secret:
    description: Name of the Secret with its certificate.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look where the edge is
  inferencebox.platform.cluster_edge_info:
    namespace: inferencebox-system
    gateway: tier1
    secret: tier1-server
  register: edge
"""

RETURN = r"""
address:
  description: Host or IP address; empty where there is none yet.
  type: str
  returned: success
authority:
  description: Certificates as PEM; empty where there are none yet.
  type: str
  returned: success
"""

from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)


def main() -> None:
    """Run the module."""
    module = cluster_module.ask(
        namespace={"type": "str", "required": True},
        gateway={"type": "str", "required": True},
        secret={"type": "str", "required": True, "no_log": False},
    )
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
        api,
        edge,
    )

    params = module.params
    try:
        with api.connect(params["kubeconfig"], params["context"]) as cluster:
            found = edge.read(cluster, params["namespace"], params["gateway"], params["secret"])
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, address=found.address, authority=found.authority)


if __name__ == "__main__":
    main()
