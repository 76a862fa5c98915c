# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The docs' table of levels claims nothing for which there is no test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.levels import FEATURES, LEVELS, PAGE, Record, table


def _claimed() -> Iterator[tuple[str, str]]:
    """Cells that are filled, by level and feature."""
    titles = {feature.title: key for key, feature in FEATURES.items()}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in titles:
            filled = zip(LEVELS, cells[1 : 1 + len(LEVELS)], strict=True)
            yield from ((level, titles[cells[0]]) for level, cell in filled if cell)


def _marked(root: Path) -> set[tuple[str, str]]:
    """What tests say that they prove; features that are not written out count by the name of their list."""
    found = set()
    for path in (root / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lists = {
            element.value
            for node in ast.walk(tree)
            if isinstance(node, (ast.List, ast.Tuple))
            for element in node.elts
            if isinstance(element, ast.Constant) and element.value in FEATURES
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves":
                level, *features = node.args
                assert isinstance(level, ast.Constant)
                for one in features:
                    named = lists if isinstance(one, ast.Starred) else {ast.literal_eval(one)}
                    found |= {(str(level.value), str(each)) for each in named}
    return found


def test_what_the_table_claims_has_a_test(root: Path) -> None:
    marked = _marked(root)
    assert {cell for cell in _claimed() if cell[0] != "L0"} <= marked


def test_a_cell_is_filled_when_every_test_of_it_passed() -> None:
    record = Record()
    record.add("L1", ["tenants", "models"], passed=True)
    record.add("L1", ["models"], passed=False)
    rows = {line.split("|")[1].strip(): line for line in table(record).splitlines()}
    assert "| yes | yes |  |  |" in rows[FEATURES["tenants"].title]
    assert "| yes |  |  |  |" in rows[FEATURES["models"].title]
