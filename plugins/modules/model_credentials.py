#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the model_credentials module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: model_credentials
short_description: Ensure the secrets by which tier 2 is known to model servers
version_added: 0.1.0
description:
  - Makes one random secret for each model, in a file for the model server and in one for the gateway.
  - Secrets that exist are left alone, and none is ever returned.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports what would be made.
  diff_mode:
    support: none
    description: Secrets are not shown.
options:
  credentials:
    description: One row for each model, as the local plan gives them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Ensure the secrets of all models
  inferencebox.platform.model_credentials:
    credentials: "{{ plan.credentials }}"
"""

RETURN = r"""
created:
  description: Server files of the secrets that were made.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    credentials,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            # The rows hold paths and owners, no secret.
            "credentials": {"type": "list", "elements": "dict", "required": True, "no_log": False}
        },
        supports_check_mode=True,
    )
    try:
        created = [
            row["server_file"]
            for row in module.params["credentials"]
            if credentials.ensure(row, check=module.check_mode)
        ]
    except OSError as error:
        module.fail_json(msg=f"cannot write a model's secret: {error}")
    module.exit_json(changed=bool(created), created=created)


if __name__ == "__main__":
    main()
