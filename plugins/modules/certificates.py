#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the certificates module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificates
short_description: Keep a platform's own authority and the certificates of its tiers
version_added: 0.1.0
description:
  - Makes the authority when it is missing, and issues each certificate that is missing, is for others or another use, ends soon or is not of
    this authority. Keys that exist are kept.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports what would be issued.
  diff_mode:
    support: none
    description: A certificate has no useful text form, and a key is not shown.
options:
  authority:
    description: The authority, which the module makes once and then uses.
    type: dict
    required: true
    suboptions:
      certificate: {description: File of its certificate., type: path, required: true}
      key: {description: File of its private key., type: path, required: true}
      common_name: {description: Its subject., type: str, required: true}
  certificates:
    description: Certificates that the platform wants, as the local plan gives them.
    type: list
    elements: dict
    required: true
  days:
    description: How long what is issued lasts.
    type: int
    required: true
  renew_before_days:
    description: A certificate that ends within so many days is issued anew.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Ensure the certificates of both tiers
  inferencebox.platform.certificates:
    authority:
      certificate: /var/lib/inferencebox/demo/pki/ca.crt
      key: /var/lib/inferencebox/demo/pki/authority/ca.key
      common_name: demo platform CA
    certificates: "{{ plan.certificates }}"
    days: 90
    renew_before_days: 30
"""

RETURN = r"""
issued:
  description: Names of the certificates that were issued.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "authority": {
                "type": "dict",
                "required": True,
                "options": {
                    "certificate": {"type": "path", "required": True},
                    # The path of a file, no secret.
                    "key": {"type": "path", "required": True, "no_log": False},
                    "common_name": {"type": "str", "required": True},
                },
            },
            "certificates": {"type": "list", "elements": "dict", "required": True},
            "days": {"type": "int", "required": True},
            "renew_before_days": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
            certificates,
        )

        issued = certificates.ensure(
            certificates.Authority(**given["authority"]),
            [certificates.Certificate(**row) for row in given["certificates"]],
            days=given["days"],
            renew_before_days=given["renew_before_days"],
            check=module.check_mode,
        )
    except (PlatformError, ImportError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(issued), issued=issued)


if __name__ == "__main__":
    main()
