#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the cluster_component_info module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_component_info
short_description: Whether a component of a platform can be removed from a cluster
version_added: 0.1.0
description:
  - Says who else uses a component, which of its Helm releases are the platform's, and what it would leave. Changes nothing.
extends_documentation_fragment:
  - inferencebox.platform.cluster
  - inferencebox.platform.cluster.reads
author: Inference-in-a-Box contributors (@inferencebox)
options:
  component:
    description: The component, as P(inferencebox.platform.kubernetes_components#filter) with V(removable) describes it.
    type: dict
    required: true
  platform:
    description: Name of the platform that is to go.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See who else uses cert-manager
  inferencebox.platform.cluster_component_info:
    platform: demo
    component:
      name: cert-manager
      namespace: cert-manager
      groups: [cert-manager.io, acme.cert-manager.io]
      releases: [{name: cert-manager, namespace: cert-manager}]
      leftovers: []
  register: component
"""

RETURN = r"""
present:
  description: Whether any release or definition of it is the platform's.
  type: bool
  returned: success
users:
  description: Objects of its kinds that others made; empty where it can go.
  type: list
  elements: str
  returned: success
releases:
  description: Its releases that are the platform's, with name and namespace.
  type: list
  elements: dict
  returned: success
objects:
  description: What stays when these are gone, for M(inferencebox.platform.cluster_objects_absent).
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
    module = cluster_module.ask(
        component={"type": "dict", "required": True},
        platform={"type": "str", "required": True},
    )
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
        api,
        removal,
    )

    params = module.params
    try:
        component = removal.Component(**params["component"])
        with api.connect(params["kubeconfig"], params["context"]) as cluster:
            found = removal.standing(cluster, params["platform"], component)
    except (PlatformError, TypeError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        present=found.present,
        users=found.users,
        releases=found.releases,
        objects=found.objects,
    )


if __name__ == "__main__":
    main()
