# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every playbook that a command runs is part of the collection."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

from inferencebox import cli


def _named_playbooks() -> set[str]:
    """The first argument of each call of `run_playbook` in the command's source."""
    names: set[str] = set()
    for file in Path(cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run_playbook":
                assert isinstance(node.args[0], ast.Constant), f"{file.name}:{node.lineno}"
                names.add(str(node.args[0].value))
    return names


def test_the_collection_has_every_playbook_that_a_command_runs(root: Path) -> None:
    names = _named_playbooks()
    assert {"site", "keys"} <= names
    for name in names:
        plays = yaml.safe_load((root / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))
        assert plays, name
