#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the node_machine module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_machine
short_description: Give a Kubernetes node its network, control groups and folders
version_added: 0.1.0
description:
  - Makes a network namespace with a link to the machine and a bridge for pods, a control group for all pods, and writes down what
    was there before.
  - With O(state=absent), ends every container, unmounts and removes all of it, and puts the machine's settings back. What lies below
    O(directory) stays.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports what would be made or removed.
  diff_mode:
    support: none
    description: What is made has no text form.
options:
  state:
    description: Whether the node's part of the machine is there.
    type: str
    choices: [present, absent]
    default: present
  directory:
    description: Folder of the node's state; exists, unless O(state=absent).
    type: path
    required: true
  link:
    description: The machine's end of the link.
    type: str
    required: true
  machine_address:
    description: The machine's address on it, with the prefix's length.
    type: str
    required: true
  node_address:
    description: The node's address on it, with the prefix's length.
    type: str
    required: true
  bridge:
    description: Name of the bridge of pods, in the node's own network.
    type: str
    required: true
  bridge_address:
    description: Its address, with the prefix's length.
    type: str
    required: true
  services:
    description: Network of the addresses of Services.
    type: str
    required: true
  cgroup:
    description: The control group of all pods, with a slash before it.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Give the node its network
  inferencebox.platform.node_machine: "{{ platform | inferencebox.platform.node_plan('machine') }}"
"""

RETURN = r"""
made:
  description: What was, or would be, made.
  type: list
  elements: str
  returned: when O(state=present)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    node_machine,
    node_remains,
)


def main() -> None:
    """Run the module."""
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "directory": {"type": "path", "required": True},
            "link": text,
            "machine_address": text,
            "node_address": text,
            "bridge": text,
            "bridge_address": text,
            "services": text,
            "cgroup": text,
        },
        supports_check_mode=True,
    )
    given = dict(module.params)
    state = given.pop("state")
    machine = node_machine.Machine(**given)
    try:
        if state == "absent":
            changed = node_remains.present(machine)
            if changed and not module.check_mode:
                node_remains.end(machine)
            module.exit_json(changed=changed)
        made = node_machine.ensure(machine, check=module.check_mode)
    except (PlatformError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(made), made=made)


if __name__ == "__main__":
    main()
