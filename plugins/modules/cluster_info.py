#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the cluster_info module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: State of a platform on a Kubernetes cluster
version_added: 0.1.0
description:
  - Reports every object that a platform applied to a cluster, whether it is ready and if not why, and how all of them
    differ from the objects that are wanted. Changes nothing.
extends_documentation_fragment:
  - inferencebox.platform.cluster
  - inferencebox.platform.cluster.reads
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  diff_mode:
    support: none
    description: The module only reads; RV(drift) holds the differences.
options:
  platform:
    description: Name of the platform.
    type: str
    required: true
  objects:
    description: All objects that the platform should consist of; without them nothing is compared.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: See whether somebody changed the platform by hand
  inferencebox.platform.cluster_info:
    platform: demo
    objects: "{{ platform | inferencebox.platform.kubernetes_objects }}"
  register: cluster
"""

RETURN = r"""
version:
  description: Release of the API server.
  type: str
  returned: success
  sample: v1.35.4
objects:
  description: What the platform applied, ordered by group, kind, namespace and name.
  type: list
  elements: dict
  returned: success
  contains:
    api_version: {description: Version of its kind., type: str}
    kind: {description: Its kind., type: str}
    namespace: {description: Its namespace; empty for objects of the cluster., type: str}
    name: {description: Its name., type: str}
    tenant: {description: "Its tenant; empty for what is the platform's.", type: str}
    part: {description: The part of the platform that it was applied with., type: str}
    created: {description: When it was made., type: str}
    ready: {description: Whether it is in force., type: bool}
    answers: {description: "Whether requests are answered, if not as it is wanted, by an earlier version of a model.", type: bool}
    reason: {description: "What it lacks; empty when ready.", type: str}
    url: {description: "Where it is to be reached, if it says so.", type: str}
drift:
  description: How the cluster differs from O(objects). Each row has kind, namespace and name.
  type: dict
  returned: when O(objects) is given
  contains:
    missing: {description: Wanted and not there., type: list, elements: dict}
    changed: {description: "Other than wanted, with before and after.", type: list, elements: dict}
    taken: {description: "Changed by others, with conflicts (field and manager).", type: list, elements: dict}
    refused: {description: "What the API server would not take as it is wanted, with message.", type: list, elements: dict}
    unexpected: {description: Applied once and no longer wanted., type: list, elements: dict}
unreadable:
  description: Kinds that could not be searched, and why.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)


def main() -> None:
    """Run the module."""
    module, shown = cluster_module.begin(objects={})
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import state

    params = module.params
    try:
        reading = state.read(
            params["platform"], params["objects"], params["kubeconfig"], params["context"]
        )
    except PlatformError as error:
        module.fail_json(msg=str(error), invocation=shown)
    for warning in reading.warnings:
        module.warn(warning)
    drift = {} if reading.drift is None else {"drift": reading.drift}
    module.exit_json(
        changed=False,
        version=reading.version,
        objects=reading.objects,
        unreadable=list(reading.unreadable),
        invocation=shown,
        **drift,
    )


if __name__ == "__main__":
    main()
