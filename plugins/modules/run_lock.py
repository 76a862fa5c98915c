#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the run_lock module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_lock
short_description: Keep other runs away from a platform until this one has ended
version_added: 0.1.0
description:
  - Takes the lock of a platform for the whole run of ansible-playbook, and fails when another run holds it.
  - The lock ends with the process of ansible-playbook; there is nothing to release. Where that runs on another machine than
    the platform, no lock is taken.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Takes no lock and respects none; looking disturbs nobody.
  diff_mode:
    support: none
    description: A lock is no part of what is wanted.
options:
  home:
    description: The platform's state directory.
    type: path
    required: true
  create:
    description: Make the directory when it is missing; else there is nothing to lock then.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Keep other runs away
  inferencebox.platform.run_lock:
    home: /srv/demo
"""

RETURN = r"""
taken:
  description: Whether this run holds the lock now.
  type: bool
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    run_lock,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "home": {"type": "path", "required": True},
            "create": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    home, create = module.params["home"], module.params["create"]
    own = None if module.check_mode else run_lock.own_run()
    try:
        taken = own is not None and run_lock.acquire(home, own, create=create)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, taken=taken)


if __name__ == "__main__":
    main()
