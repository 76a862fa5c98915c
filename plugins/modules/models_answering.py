#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the models_answering module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: models_answering
short_description: Wait until models answer their callers
version_added: 0.1.0
description:
  - Asks each model once, as a tenant that may call it, through tier 1, and again until it answers. Changes nothing.
  - The platform's built-in issuer vouches for the tenants, by tokens of a few minutes that do not leave the module.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Nobody is asked.
  diff_mode:
    support: none
    description: Nothing changes.
options:
  gateway:
    description: Where tier 1 answers callers.
    type: dict
    required: true
    suboptions:
      address: {description: IP address to connect to., type: str, required: true}
      port: {description: TCP port., type: int, required: true}
      name: {description: Host name that its certificate must carry., type: str, required: true}
      ca_file: {description: The authority that vouches for it., type: path, required: true}
  base_url:
    description: Issuer and audience of the built-in issuer's tokens.
    type: str
    required: true
  identity:
    description: The platform's directory C(identity).
    type: path
    required: true
  questions:
    description: One request for each model.
    type: list
    elements: dict
    required: true
    suboptions:
      model: {description: Its name., type: str, required: true}
      tenant: {description: A tenant that may call it., type: str, required: true}
      path: {description: What is asked for., type: str, required: true}
      body: {description: "What is sent, as JSON; without it, the request is a GET.", type: dict}
  timeout:
    description: Seconds to wait.
    type: float
    default: 300
"""

EXAMPLES = r"""
- name: Wait until callers are answered
  inferencebox.platform.models_answering:
    gateway: {address: 10.98.0.2, port: 30443, name: gateway.inference.localhost, ca_file: /srv/demo/pki/ca.crt}
    base_url: https://gateway.inference.localhost:30443
    identity: /srv/demo/identity
    questions:
      - {model: iris, tenant: tenant-a, path: /v2/models/iris/ready}
"""

RETURN = r"""
late:
  description: By model, why it does not answer.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    callers,
    https,
    identity,
)

_TOKEN_SECONDS_MORE = 300
_WHO = "install"


def main() -> None:
    """Run the module."""
    question = {
        "model": {"type": "str", "required": True},
        "tenant": {"type": "str", "required": True},
        "path": {"type": "str", "required": True},
        "body": {"type": "dict"},
    }
    module = AnsibleModule(
        argument_spec={
            "gateway": {"type": "dict", "required": True, "options": https.OPTIONS},
            "base_url": {"type": "str", "required": True},
            "identity": {"type": "path", "required": True},
            "questions": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": question,
            },
            "timeout": {"type": "float", "default": 300},
        },
        supports_check_mode=True,
    )
    given = module.params
    if module.check_mode:
        module.exit_json(changed=False, late={})

    def token(tenant: str) -> str:
        url, seconds = given["base_url"], int(given["timeout"]) + _TOKEN_SECONDS_MORE
        return identity.mint_token(given["identity"], tenant, _WHO, url, url, seconds)

    questions = [callers.Question(**row) for row in given["questions"]]
    try:
        late = callers.until_answered(
            https.Gateway(**given["gateway"]), questions, token, given["timeout"]
        )
    except PlatformError as error:
        module.fail_json(msg=str(error), late={})
    if late:
        lines = [f"- {model}: {reason}" for model, reason in sorted(late.items())]
        head = f"after {given['timeout']:g} s these models do not answer callers:"
        module.fail_json(msg="\n".join([head, *lines]), late=late)
    module.exit_json(changed=False, late={})


if __name__ == "__main__":
    main()
