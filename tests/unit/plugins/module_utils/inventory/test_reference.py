# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The generated reference is the one that the code makes, and its schema knows the shipped files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    TABLE,
    json_schema,
    reference_markdown,
    write_reference,
)
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from .sample import VALID, changed

SCHEMA = json_schema()


def test_the_pages_are_current(root: Path, tmp_path: Path) -> None:
    for made in write_reference(tmp_path):
        kept = root / "docs/reference" / made.name
        assert kept.read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), (
            f"{kept} is not current: run make docs"
        )


def test_the_page_tells_every_setting_and_reason() -> None:
    page = reference_markdown()
    for row in TABLE:
        assert f"| `{row.setting}` | {row.values} |" in page
        assert row.refused in page


def _errors(instance: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(instance)]


def test_the_schema_admits_what_loading_admits(root: Path) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert _errors(VALID) == []
    for file in (root / "inventories/local/group_vars/all").glob("*.yml"):
        assert _errors(yaml.safe_load(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"platform_gatway": {}}, "$"),
        ({"platform_gateway.https_port": "8443"}, "$.platform_gateway.https_port"),
        ({"tenants[0].name": "Tenant"}, "$.tenants[0].name"),
        ({"tenants[0].typo": 1}, "$.tenants[0]"),
        ({"models[0].framework": "sklern"}, "$.models[0].framework"),
        ({"models[0].source": "ftp://host/file"}, "$.models[0].source"),
        ({"models[0].serving.start_timeout": 60}, "$.models[0].serving.start_timeout"),
    ],
)
def test_the_schema_refuses_what_an_editor_can_see(changes: dict[str, Any], path: str) -> None:
    assert path in _errors(changed(changes))


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert "required" not in SCHEMA
