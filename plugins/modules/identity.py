#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the identity module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: identity
short_description: Ensure the platform's own issuers and read which API keys are active
version_added: 0.1.0
description:
  - Makes the issuer of tokens and the issuer of API keys unless they exist, forgets retired signing keys whose time is over, and
    returns what a gateway needs to verify tokens and keys. No secret is returned.
author: Inference-in-a-Box contributors (@inferencebox)
requirements: [cryptography]
attributes:
  check_mode:
    support: full
    description: Reports what would be made; the key set of an issuer that does not exist is empty.
  diff_mode:
    support: none
    description: There is nothing but secrets to show.
options:
  directory:
    description: Directory of the issuers.
    type: path
    required: true
  tenants:
    description: Names of the tenants that there are. Active API keys of anybody else are revoked.
    type: list
    elements: str
    required: true
  jwks_files:
    description: Key sets of other issuers to be read, path by issuer name.
    type: dict
    default: {}
  ca_files:
    description: Certificates that vouch for the hosts of other issuers' key sets, path by issuer name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Ensure the built-in issuers
  inferencebox.platform.identity:
    directory: /srv/demo/identity
    tenants: [tenant-a]
  register: identity
"""

RETURN = r"""
revoked:
  description: Names and tenants of API keys that were, or would be, revoked, because their tenants are gone.
  type: list
  elements: dict
  returned: success
jwks:
  description: Public JSON Web Key Sets by issuer, V(builtin), V(keys) and those of O(jwks_files).
  type: dict
  returned: success
authorities:
  description: Content of O(ca_files) by issuer.
  type: dict
  returned: success
active_keys:
  description: API keys that are accepted now, with id, tenant, name, created, expires and requests_per_minute.
  type: list
  elements: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    identity as host_identity,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "tenants": {"type": "list", "elements": "str", "required": True},
            "jwks_files": {"type": "dict", "default": {}},
            "ca_files": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    directory = module.params["directory"]
    try:
        changed = host_identity.ensure_issuers(directory, check=module.check_mode)
        revoked = host_identity.revoke_strangers(
            directory, module.params["tenants"], check=module.check_mode
        )
        jwks = host_identity.key_sets(directory, module.params["jwks_files"])
        authorities = host_identity.authorities(module.params["ca_files"])
        gone = {one.id for one in revoked}
        active = host_identity.active_keys(directory)
        keys = [one.public() for one in active if one.id not in gone]
    except (PlatformError, ImportError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=changed or bool(revoked),
        revoked=[{"name": one.name, "tenant": one.tenant} for one in revoked],
        jwks=jwks,
        authorities=authorities,
        active_keys=keys,
    )


if __name__ == "__main__":
    main()
