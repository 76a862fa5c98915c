# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of validate_inventory; what runs is the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_inventory
short_description: Validate an inventory and fill in its defaults
version_added: 0.1.0
description:
  - Validates the variables of an inventory as a whole, and fails with every problem found, each with
    its path, its value and what would be right.
  - Looks at the variables C(tenants), C(models), C(providers) and C(platform_...) of the host; others are not even
    templated.
  - Returns the same variables with every default filled in. Nothing is changed on any machine, none is even reached.
author: Inference-in-a-Box contributors (@inferencebox)
options:
  installable:
    description: Also fail for what is validated and rendered, but what nothing installs yet.
    type: bool
    default: false
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
"""

EXAMPLES = r"""
- name: Validate the whole inventory
  inferencebox.platform.validate_inventory:
    installable: true
  register: inventory

- name: Show where callers find the platform
  ansible.builtin.debug:
    var: inventory.platform.platform_gateway
"""

RETURN = r"""
platform:
  description: The variables of the inventory with every default filled in.
  returned: success
  type: dict
  sample:
    platform_name: demo
    platform_target: local
"""
