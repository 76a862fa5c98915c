#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the unix_users module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: unix_users
short_description: Unix users of processes that are kept apart
version_added: 0.1.0
description:
  - Creates and removes system users that have no home, password or shell, each with a group of its own name. All of them
    in one task, where M(ansible.builtin.user) takes one at a time.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports who would be created or removed.
  diff_mode:
    support: full
    description: Shows the names of the users before and after.
options:
  users:
    description: Users that must exist, in the order in which they are created.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user and of its group.
        type: str
        required: true
      groups:
        description: Further groups that the user is in. They are given when the user is created, and left alone later.
        type: list
        elements: str
        default: []
  absent:
    description: >-
      Names of users that must not exist, in the order in which they are removed. A group goes with its user unless it
      still has members.
    type: list
    elements: str
    default: []
notes:
  - Needs root, and C(useradd) and C(userdel).
"""

EXAMPLES = r"""
- name: Create who runs the gateways
  inferencebox.platform.unix_users:
    users:
      - {name: ib-demo-tier1}
      - {name: ib-demo-tier2, groups: [ib-demo-tier1]}
"""

RETURN = r"""
created:
  description: Who was, or would be, created.
  type: list
  elements: str
  returned: success
removed:
  description: Who was, or would be, removed.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    users,
)


def main() -> None:
    """Run the module."""
    user = {
        "name": {"type": "str", "required": True},
        "groups": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "users": {"type": "list", "elements": "dict", "default": [], "options": user},
            "absent": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    wanted = [users.User(one["name"], tuple(one["groups"])) for one in module.params["users"]]
    try:
        removed = users.remove(module.params["absent"], check=module.check_mode)
        created = users.create(wanted, check=module.check_mode)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(created or removed),
        created=created,
        removed=removed,
        diff={"before": _lines(removed), "after": _lines(created)},
    )


def _lines(names: list[str]) -> str:
    return "".join(f"{name}\n" for name in names)


if __name__ == "__main__":
    main()
