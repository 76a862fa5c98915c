#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the replicas_healthy module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: replicas_healthy
short_description: Wait until tier 2 sends requests to replicas
version_added: 0.1.0
description:
  - A replica that answers gets no request before tier 2's own health check has found it. Waits for that, so that what served
    before can be stopped, and callers are answered from then on. Changes nothing.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Nothing is waited for.
  diff_mode:
    support: none
    description: Nothing changes.
options:
  admin_socket:
    description: Unix socket of tier 2's administration interface.
    type: path
    required: true
  replicas:
    description: By model, the Unix sockets of its replicas that answer.
    type: dict
    required: true
  timeout:
    description: Seconds to wait.
    type: float
    default: 30
"""

EXAMPLES = r"""
- name: Wait until tier 2 has found the replicas
  inferencebox.platform.replicas_healthy:
    admin_socket: /srv/demo/run/tier2/admin.sock
    replicas:
      iris: [/srv/demo/run/models/tenant-a/iris.sock]
"""

RETURN = r"""
late:
  description: By model, what keeps requests from it.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.host import replicas


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "admin_socket": {"type": "path", "required": True},
            "replicas": {"type": "dict", "required": True},
            "timeout": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    given = module.params
    if module.check_mode:
        module.exit_json(changed=False, late={})
    late = replicas.until_healthy(given["admin_socket"], given["replicas"], given["timeout"])
    if late:
        lines = [f"- {model}: {reason}" for model, reason in sorted(late.items())]
        head = f"after {given['timeout']:g} s tier 2 sends no requests to these models:"
        module.fail_json(msg="\n".join([head, *lines]), late=late)
    module.exit_json(changed=False, late={})


if __name__ == "__main__":
    main()
