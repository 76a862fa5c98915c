#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the cluster_objects_absent module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_objects_absent
short_description: Remove objects that components left on a cluster
version_added: 0.1.0
description:
  - Removes exactly the objects that are named, and waits until they are gone.
  - What the platform applied itself goes by M(inferencebox.platform.apply), with C(prune).
extends_documentation_fragment:
  - inferencebox.platform.cluster
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports what is there and would be removed.
  diff_mode:
    support: none
    description: RV(removed) holds what was there.
  idempotent:
    support: full
    description: What is not there is not reported.
options:
  objects:
    description: What to remove.
    type: list
    elements: dict
    required: true
    suboptions:
      api_version: {description: Version of its kind., type: str, required: true}
      kind: {description: Its kind., type: str, required: true}
      namespace: {description: Its namespace; empty for objects of the cluster., type: str, required: true}
      name: {description: Its name., type: str, required: true}
  wait_timeout:
    description: Seconds to wait until all are gone.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Remove what a component left
  inferencebox.platform.cluster_objects_absent:
    objects: "{{ component.objects }}"
"""

RETURN = r"""
removed:
  description: Objects that were there.
  type: list
  elements: dict
  returned: success
"""

from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)


def main() -> None:
    """Run the module."""
    row = {
        name: {"type": "str", "required": True}
        for name in ("api_version", "kind", "namespace", "name")
    }
    module = cluster_module.ask(
        objects={"type": "list", "elements": "dict", "required": True, "options": row},
        wait_timeout={"type": "int", "default": 300},
    )
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
        api,
        removal,
    )

    params = module.params
    try:
        with api.connect(params["kubeconfig"], params["context"]) as cluster:
            removed = removal.remove(
                cluster, params["objects"], params["wait_timeout"], check=module.check_mode
            )
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(removed), removed=removed)


if __name__ == "__main__":
    main()
