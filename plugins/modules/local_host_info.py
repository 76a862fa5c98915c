#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the local_host_info module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: local_host_info
short_description: Facts of the machine that a local platform is planned with
version_added: 0.1.0
description:
  - Reports who installs, how many processors there are, which interpreter every user may run and which
    ports others hold. Changes nothing.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: The module only reads.
  diff_mode:
    support: none
    description: The module only reads.
options:
  home:
    description: The platform's state directory; its tenants of now are read there.
    type: path
  listeners:
    description: Where the platform will listen, each with setting, address, port and home.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Look at the machine
  inferencebox.platform.local_host_info:
  register: machine
"""

RETURN = r"""
machine:
  description: Keys root, user, group, cpus, python, tenants (name and user of each), port_problems.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    machine,
    ports,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "home": {"type": "path"},
            "listeners": {"type": "list", "elements": "dict", "default": []},
        },
        supports_check_mode=True,
    )
    facts = machine.facts(module.params["home"])
    facts["port_problems"] = [
        f"{row['setting']}: {row['address']}:{row['port']} {reason}"
        for row in module.params["listeners"]
        if (reason := ports.problem(row["address"], int(row["port"]), row["home"]))
    ]
    module.exit_json(changed=False, machine=facts)


if __name__ == "__main__":
    main()
