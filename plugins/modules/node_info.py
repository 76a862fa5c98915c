#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the node_info module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: Find out what a machine lacks to be a Kubernetes node
version_added: 0.1.0
description:
  - Looks for programs, for what the kernel must be able to do, and for networks that are in the way. Changes nothing.
  - Asks Kubernetes' programs of which release they are, and compares that with what ran last.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: The module only reads.
  diff_mode:
    support: none
    description: Nothing changes.
options:
  programs:
    description: Debian's package of each wanted program by name; empty for those that no distribution has.
    type: dict
    required: true
  plugins:
    description: Network plugins that must lie in one folder.
    type: list
    elements: str
    required: true
  directory:
    description: Where both are looked for first.
    type: path
  state:
    description: Folder of the node's state, there or not yet.
    type: path
    required: true
  network:
    description: The network between the machine and the node.
    type: str
    required: true
  link:
    description: The machine's end of it.
    type: str
    required: true
  images:
    description: Folder of the image archives.
    type: path
    required: true
  kubernetes:
    description: Which releases of Kubernetes may run.
    type: dict
    required: true
    suboptions:
      train: {description: Name of the release train., type: str, required: true}
      lowest: {description: First minor release that it runs on., type: str, required: true}
      highest: {description: The last., type: str, required: true}
      wanted: {description: The one minor release that shall run; empty for any of them., type: str, default: ""}
"""

EXAMPLES = r"""
- name: Look at the machine
  inferencebox.platform.node_info: "{{ platform | inferencebox.platform.node_plan('needs') }}"
  register: machine
"""

RETURN = r"""
node:
  description: Keys programs, plugins, stamps, releases, last_releases and lowers_oom_scores, as the filter node_plan takes them.
  type: dict
  returned: always
problems:
  description: Every reason why no node can be made here, a sentence each.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    node_info,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "programs": {"type": "dict", "required": True},
            "plugins": {"type": "list", "elements": "str", "required": True},
            "directory": {"type": "path"},
            "state": {"type": "path", "required": True},
            "network": {"type": "str", "required": True},
            "link": {"type": "str", "required": True},
            "images": {"type": "path", "required": True},
            "kubernetes": {
                "type": "dict",
                "required": True,
                "options": {
                    "train": {"type": "str", "required": True},
                    "lowest": {"type": "str", "required": True},
                    "highest": {"type": "str", "required": True},
                    "wanted": {"type": "str", "default": ""},
                },
            },
        },
        supports_check_mode=True,
    )
    found = node_info.facts(**module.params)
    problems = found.pop("problems")
    module.exit_json(changed=False, node=found, problems=problems)


if __name__ == "__main__":
    main()
