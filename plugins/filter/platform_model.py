# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the platform_model filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleTemplatePluginError
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    load,
    select_variables,
    to_vars,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: platform_model
short_description: Validate an inventory and fill in its defaults
version_added: 0.1.0
description:
  - Validates the variables of an inventory as a whole, and fails with every problem found, each with
    its path, its value and what would be right.
  - Returns the same variables with every default filled in. Nothing is changed on any machine.
author: Inference-in-a-Box contributors (@inferencebox)
options:
  _input:
    description:
      - Variables by name. Those named C(tenants), C(models) and C(platform_...) are looked at; others
        may be there and are not even templated, so that C(vars) can be given.
    type: dict
    required: true
  installable:
    description: Also fail for a target that validates, but that nothing installs yet.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Validate the whole inventory
  ansible.builtin.set_fact:
    preflight_platform: "{{ vars | inferencebox.platform.platform_model(installable=true) }}"
"""

RETURN = r"""
_value:
  description: The variables of the inventory with every default filled in.
  type: dict
  sample:
    platform_name: demo
    platform_target: local
"""


def platform_model(variables: Mapping[str, Any], *, installable: bool = False) -> dict[str, Any]:
    """Validate an inventory.

    Args:
        variables: Variables by name, as Ansible holds them.
        installable: Also refuse a target that nothing installs yet.

    Returns:
        Its variables with every default filled in.

    Raises:
        AnsibleTemplatePluginError: Something is wrong; the text lists all of it.
    """
    if not isinstance(variables, Mapping):
        raise AnsibleTemplatePluginError(
            f"platform_model needs a mapping of variables, got {type(variables).__name__}"
        )
    try:
        return to_vars(load(to_plain(select_variables(variables)), installable=installable))
    except InventoryError as error:
        raise AnsibleTemplatePluginError(str(error)) from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"platform_model": platform_model}
