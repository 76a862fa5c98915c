#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the runtime_environment module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: runtime_environment
short_description: Install what a local platform runs
version_added: 0.1.0
description:
  - Installs Envoy, the process manager, model servers and sample models from hash-pinned requirement files into a
    virtual environment. An environment made from the same inputs is left alone.
  - Begins in the background to compile what model servers import, which cannot write bytecode themselves. The file
    C(compiled) in the environment is there when that is over, after some seconds.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports whether the environment would be changed.
  diff_mode:
    support: none
    description: An environment has no useful text form.
options:
  path:
    description: Directory of the environment.
    type: path
    required: true
  uv:
    description: The uv command.
    type: str
    required: true
  python:
    description: Base interpreter.
    type: path
    required: true
  requirements:
    description: Hash-pinned requirement files.
    type: list
    elements: path
    required: true
  bundles:
    description: Hash-pinned requirement files whose dependencies are left out.
    type: list
    elements: path
    default: []
  sources:
    description: Directory of this project's Python packages.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Install what runs
  inferencebox.platform.runtime_environment:
    path: /var/lib/inferencebox/demo/runtime
    uv: uv
    python: /usr/bin/python3.12
    requirements: [requirements/runtime.txt]
    bundles: [requirements/samples.txt]
    sources: src
"""

RETURN = r"""
path:
  description: Directory of the environment.
  type: str
  returned: always
compiling:
  description: Whether bytecode is still being written.
  type: bool
  returned: success
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    runtime,
)


def main() -> None:
    """Run the module."""
    paths = {"type": "list", "elements": "path"}
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "uv": {"type": "str", "required": True},
            "python": {"type": "path", "required": True},
            "requirements": {**paths, "required": True},
            "bundles": {**paths, "default": []},
            "sources": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        changed = runtime.ensure(
            Path(given["path"]),
            uv=given["uv"],
            python=given["python"],
            requirements=[Path(p) for p in given["requirements"]],
            bundles=[Path(p) for p in given["bundles"]],
            sources=Path(given["sources"]),
            check=module.check_mode,
        )
    except (PlatformError, OSError) as error:
        module.fail_json(msg=str(error))
    compiling = not module.check_mode and runtime.begin_precompile(Path(given["path"]))
    module.exit_json(changed=changed, path=given["path"], compiling=compiling)


if __name__ == "__main__":
    main()
