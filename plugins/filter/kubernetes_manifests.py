# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the kubernetes_manifests filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleTemplatePluginError
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import InventoryError
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    load_cluster_platform,
    manifests,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: kubernetes_manifests
short_description: The Kubernetes objects of a platform as files
version_added: 0.1.0
description:
  - Turns a platform into YAML files with its Kubernetes objects, one file for each part of it.
author: Inference-in-a-Box contributors (@inferencebox)
options:
  _input:
    description: Platform variables, as M(inferencebox.platform.validate_inventory) returns them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the objects of a platform
  ansible.builtin.copy:
    content: "{{ item.value }}"
    dest: "/srv/manifests/{{ item.key }}"
    mode: "0644"
  loop: "{{ platform | inferencebox.platform.kubernetes_manifests | dict2items }}"
"""

RETURN = r"""
_value:
  description: YAML by file name. The names sort in the order in which the files are applied.
  type: dict
"""


def kubernetes_manifests(platform: Mapping[str, Any]) -> dict[str, str]:
    """Make the objects of a platform as files.

    Raises:
        AnsibleTemplatePluginError: The platform is not valid, or is none of a cluster.
    """
    try:
        return manifests(load_cluster_platform(to_plain(platform)))
    except InventoryError as error:
        raise AnsibleTemplatePluginError(str(error)) from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"kubernetes_manifests": kubernetes_manifests}
