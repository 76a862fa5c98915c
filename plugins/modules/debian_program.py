#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the debian_program module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: debian_program
short_description: Use a program of a Debian package without installing the package
version_added: 0.1.0
description:
  - Takes the machine's own program where there is one. Else fetches the package with apt, which checks its signature, and puts
    only the program into a directory, so that no service is started and root is not needed.
  - A program that cannot be had is reported in RV(reason) and does not make the task fail.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports whether the program would be fetched.
  diff_mode:
    support: none
    description: A program has no useful text form.
options:
  name:
    description: File name of the program.
    type: str
    required: true
  package:
    description: The package that holds it at C(/usr/bin). The program's name when left out.
    type: str
  directory:
    description: Where the program is put.
    type: path
    required: true
  wait:
    description: >-
      Whether to wait until the program is there. Where not, fetching begins in the background, and a later task that
      waits tells how it went: no change is reported here, nor a RV(path) or RV(reason).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Find Prometheus
  inferencebox.platform.debian_program:
    name: prometheus
    directory: /srv/demo/prometheus/bin
  register: prometheus
"""

RETURN = r"""
path:
  description: Path of the program; none where there is a RV(reason).
  type: str
  returned: always
reason:
  description: Why the program cannot be had; none where there is a RV(path).
  type: str
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    debian,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "package": {"type": "str"},
            "directory": {"type": "path", "required": True},
            "wait": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    wanted = given["name"], given["package"] or given["name"], Path(given["directory"])
    if not given["wait"]:
        if not module.check_mode:
            debian.begin(*wanted)
        module.exit_json(changed=False, path=None, reason=None)
    found = debian.program(*wanted, check=module.check_mode)
    module.exit_json(changed=found.changed, path=found.path, reason=found.reason)


if __name__ == "__main__":
    main()
