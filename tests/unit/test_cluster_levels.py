# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The docs' table of levels claims nothing for which there is no test."""

from __future__ import annotations

import pytest

from tests import levels
from tests.levels import FEATURES, PAGE, TESTS, Cell, Record, table

_CELL: Cell = ("L1", "apply")
_FILES = levels.marked()[_CELL]


def _record(*, passed: bool) -> Record:
    record = Record()
    record.add(_CELL[0], [_CELL[1]], passed=passed)
    return record


def test_what_the_table_claims_has_a_test() -> None:
    filled = levels.claimed(PAGE.read_text(encoding="utf-8"))
    assert filled
    assert {cell for cell in filled if cell[0] != "L0"} <= levels.marked().keys()


def test_a_file_says_what_its_tests_prove() -> None:
    assert TESTS / "cluster/test_apply.py" in _FILES
    assert TESTS / "cluster/test_objects_accepted.py" in levels.marked()["L1", "certificates"]


def test_a_cell_is_filled_when_every_test_of_it_passed() -> None:
    record = Record()
    record.add("L1", ["apply"], passed=True)
    assert _CELL in levels.judged(record, _FILES, [])
    record.add("L1", ["apply"], passed=False)
    assert _CELL not in levels.judged(record, _FILES, [_CELL])


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("before", [[], [_CELL]])
def test_a_cell_of_which_a_file_did_not_run_stays_as_it_was(
    before: list[Cell], passed: bool
) -> None:
    assert levels.judged(_record(passed=passed), [], before) == set(before)


def test_a_cell_without_a_test_is_empty() -> None:
    cell = ("L3", "apply")
    assert cell not in levels.marked()
    assert levels.judged(Record(), [], [cell]) == set()


def test_the_table_is_read_as_it_is_written() -> None:
    filled = {_CELL, ("L4", "tenants")}
    everything_rendered = {("L0", feature) for feature in FEATURES}
    assert levels.claimed(table(filled)) == filled | everything_rendered
