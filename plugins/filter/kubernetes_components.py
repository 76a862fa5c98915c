# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the kubernetes_components filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleTemplatePluginError
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    load_cluster_platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: kubernetes_components
short_description: What a platform needs installed in its cluster
version_added: 0.1.0
description:
  - Says which components of the release train a platform needs, from where they come and how they are set, for Helm and
    for M(inferencebox.platform.apply). Nothing is asked of a cluster.
author: Inference-in-a-Box contributors (@inferencebox)
positional: topic
options:
  _input:
    description: Platform variables, as M(inferencebox.platform.validate_inventory) returns them.
    type: dict
    required: true
  topic:
    description:
      - What to return. V(namespaces) are objects, V(releases) all Helm releases in the order of their installation,
        V(demands) what M(inferencebox.platform.cluster_preflight) looks for, V(removable) what may have to be
        removed, in that order, V(files) what a bundle holds.
      - Everything else is a layer of components, with C(releases) and C(manifests).
    type: str
    required: true
    choices: [namespaces, releases, demands, removable, files, definitions, mesh, tier2, limits, gateway, monitoring, collector, serving]
  secret:
    description:
      - What secrets between components are derived from. Without it, settings that are secret are left out.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: See what would be installed
  ansible.builtin.debug:
    msg: "{{ platform | inferencebox.platform.kubernetes_components('releases') | map(attribute='chart') }}"
"""

RETURN = r"""
_value:
  description: A list, or for a layer and for the demands a dictionary.
  type: raw
"""

_TOPICS: Mapping[str, Callable[[Platform], Any]] = {
    "namespaces": components.namespaces,
    "releases": components.releases,
    "demands": components.demands,
    "removable": components.removable,
    "files": components.files,
}


def kubernetes_components(platform: Mapping[str, Any], topic: str, secret: str = "") -> Any:
    """Describe the components of a platform.

    Raises:
        AnsibleTemplatePluginError: The platform is not valid, is none of a cluster, or there is no such topic.
    """
    if topic not in _TOPICS and topic not in components.LAYERS:
        known = ", ".join((*_TOPICS, *components.LAYERS))
        raise AnsibleTemplatePluginError(
            f"kubernetes_components knows no topic {topic!r}; its topics are {known}"
        )
    try:
        found = load_cluster_platform(to_plain(platform))
    except InventoryError as error:
        raise AnsibleTemplatePluginError(str(error)) from error
    if topic in _TOPICS:
        return _TOPICS[topic](found)
    return components.layer(found, topic, str(secret))


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"kubernetes_components": kubernetes_components}
