#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the model_artifact module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: model_artifact
short_description: Fetch the files of models
version_added: 0.1.0
description:
  - Makes the files of models present on this machine, checked and kept by their content.
  - A model whose files cannot be had is reported in C(failed_items) and does not stop the others.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports what would be fetched.
  diff_mode:
    support: none
    description: Model files have no useful text form.
options:
  artifacts:
    description: One row for each model, as the local plan gives them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The model.
        type: str
        required: true
      source:
        description: Where its files come from, such as C(https://...) or C(python://package/path).
        type: str
        required: true
      destination:
        description: Directory of this model and version alone.
        type: path
        required: true
      checksum:
        description: C(sha256:) and the hex digits that the content must have.
        type: str
  python:
    description: Interpreter of the environment in which C(python://) sources are looked up.
    type: path
"""

EXAMPLES = r"""
- name: Fetch a model
  inferencebox.platform.model_artifact:
    python: /var/lib/inferencebox/demo/runtime/bin/python
    artifacts:
      - name: iris
        source: python://inferencebox_samples/iris
        destination: /var/lib/inferencebox/demo/artifacts/tenant-a/iris/1
"""

RETURN = r"""
artifacts:
  description: Model name to C(path), C(digest), C(bytes) and C(changed), for the models whose files are there.
  type: dict
  returned: always
failed_items:
  description: The others, each with C(name), C(source) and C(reason).
  type: list
  elements: dict
  returned: always
"""

from dataclasses import asdict
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    artifact_sources,
    artifacts,
)

ROW = {
    "name": {"type": "str", "required": True},
    "source": {"type": "str", "required": True},
    "destination": {"type": "path", "required": True},
    "checksum": {"type": "str"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "artifacts": {"type": "list", "elements": "dict", "required": True, "options": ROW},
            "python": {"type": "path"},
        },
        supports_check_mode=True,
    )
    there, failed = {}, []
    for row in module.params["artifacts"]:
        try:
            there[row["name"]] = asdict(
                artifacts.fetch(
                    row["source"],
                    Path(row["destination"]),
                    row["checksum"],
                    module.params["python"],
                    check=module.check_mode,
                )
            )
        except PlatformError as error:
            source = artifact_sources.shown(row["source"])
            failed.append({"name": row["name"], "source": source, "reason": str(error)})
    changed = any(result["changed"] for result in there.values())
    module.exit_json(changed=changed, artifacts=there, failed_items=failed)


if __name__ == "__main__":
    main()
