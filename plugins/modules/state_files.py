#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the state_files module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: state_files
short_description: Ensure directories and files of a platform's state
version_added: 0.1.0
description:
  - Makes many directories and files at once be as wanted. A file is replaced atomically, and only when its content,
    mode or owner differs.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports what would change.
  diff_mode:
    support: full
    description: Contents before and after; those of secret files are hidden.
options:
  directories:
    description: Wanted directories; parents that are missing are made.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      mode: {description: Permission bits in octal., type: str, default: "0755"}
      owner: {description: User name., type: str}
      group: {description: Group name., type: str}
  files:
    description: Wanted files.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      content: {description: "Text of the file; exactly one of this and O(files[].secret_content).", type: str}
      secret_content: {description: Text that no log or diff shows., type: str}
      mode: {description: Permission bits in octal., type: str, default: "0644"}
      owner: {description: User name., type: str}
      group: {description: Group name., type: str}
  prune:
    description: Where files that match a pattern and are not wanted are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      directory: {description: Absolute path., type: path, required: true}
      pattern: {description: Shell pattern of file names., type: str, required: true}
"""

EXAMPLES = r"""
- name: Write two endpoint files and remove others
  inferencebox.platform.state_files:
    directories:
      - {path: /srv/demo/endpoints, mode: "0750"}
    files:
      - {path: /srv/demo/endpoints/iris.json, content: "{}", mode: "0640"}
    prune:
      - {directory: /srv/demo/endpoints, pattern: "*.json"}
"""

RETURN = r"""
paths:
  description: What was, or would be, made, changed or removed.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    files as host_files,
)


def main() -> None:
    """Run the module."""
    place = {
        "path": {"type": "path", "required": True},
        "owner": {"type": "str"},
        "group": {"type": "str"},
    }
    directory = {**place, "mode": {"type": "str", "default": "0755"}}
    file = {
        **place,
        "mode": {"type": "str", "default": "0644"},
        "content": {"type": "str"},
        "secret_content": {"type": "str", "no_log": True},
    }
    prune = {
        "directory": {"type": "path", "required": True},
        "pattern": {"type": "str", "required": True},
    }
    rows = {"type": "list", "elements": "dict", "default": []}
    module = AnsibleModule(
        argument_spec={
            "directories": {**rows, "options": directory},
            "files": {
                **rows,
                "options": file,
                "required_one_of": [("content", "secret_content")],
                "mutually_exclusive": [("content", "secret_content")],
            },
            "prune": {**rows, "options": prune},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        changes = host_files.ensure_directories(
            [
                host_files.DirectorySpec(
                    one["path"], int(one["mode"], 8), one["owner"], one["group"]
                )
                for one in params["directories"]
            ],
            check=module.check_mode,
        ) + host_files.write_files(
            [_file(one) for one in params["files"]],
            [(one["directory"], one["pattern"]) for one in params["prune"]],
            check=module.check_mode,
        )
    except (PlatformError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(changes.changed), paths=list(changes.changed), diff=list(changes.diff)
    )


def _file(row: dict[str, str]) -> host_files.FileSpec:
    secret = row["content"] is None
    content = row["secret_content"] if secret else row["content"]
    return host_files.FileSpec(
        row["path"], content, int(row["mode"], 8), row["owner"], row["group"], secret
    )


if __name__ == "__main__":
    main()
