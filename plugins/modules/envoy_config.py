#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the envoy_config module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: envoy_config
short_description: Make an Envoy configuration live, if Envoy accepts it
version_added: 0.1.0
description:
  - Validates the whole configuration with Envoy itself, all files that it would discover included. Only then are the files
    replaced, each atomically and in an order in which nothing refers to what is not there yet.
  - When Envoy refuses, nothing is replaced and its own sentence is the error.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Validates when the executable is there, and reports what would change.
  diff_mode:
    support: full
    description: Contents before and after.
options:
  envoy:
    description: Path of the Envoy executable.
    type: path
    required: true
  directory:
    description: Directory of bootstrap.json and xds/.
    type: path
    required: true
  bootstrap:
    description: Content of bootstrap.json.
    type: dict
    required: true
  resources:
    description: Content of the files in xds/, by file name. Others there are removed.
    type: dict
    required: true
  owner:
    description: User who owns the files.
    type: str
"""

EXAMPLES = r"""
- name: Activate tier 1's configuration
  inferencebox.platform.envoy_config:
    envoy: /srv/demo/runtime/bin/envoy
    directory: /srv/demo/tier1
    bootstrap: "{{ config.bootstrap }}"
    resources: "{{ config.resources }}"
"""

RETURN = r"""
paths:
  description: Files that were, or would be, replaced or removed.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    envoy as host_envoy,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "envoy": {"type": "path", "required": True},
            "directory": {"type": "path", "required": True},
            "bootstrap": {"type": "dict", "required": True},
            "resources": {"type": "dict", "required": True},
            "owner": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        changes = host_envoy.activate(
            params["envoy"],
            params["directory"],
            params["bootstrap"],
            params["resources"],
            owner=params["owner"],
            check=module.check_mode,
        )
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(changes.changed), paths=list(changes.changed), diff=list(changes.diff)
    )


if __name__ == "__main__":
    main()
