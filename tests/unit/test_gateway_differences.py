# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The list of a gateway's known differences: the docs have it, and each entry is of a test that exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.behaviour import differences

_TESTS = [test for one in differences.DIFFERENCES for test in one.tests]


@pytest.mark.parametrize("one", differences.DIFFERENCES, ids=lambda one: one.said[:40])
def test_the_docs_say_it(root: Path, one: differences.Difference) -> None:
    page = " ".join((root / "docs/architecture.md").read_text(encoding="utf-8").split())
    assert one.said in page


def test_each_test_exists_and_stands_there_once(root: Path) -> None:
    assert len(_TESTS) == len(set(_TESTS))
    for test in _TESTS:
        file, _, name = test.partition("[")[0].partition("::")
        text = (root / "tests/behaviour" / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, test


def test_a_name_without_parameters_is_all_of_them() -> None:
    name = "test_openai.py::test_what_the_model_refuses_is_a_bad_request"
    found = differences.of(f"{name}[http1]")
    assert found is not None
    assert found is differences.of(name)
    assert (
        differences.of("test_health.py::test_health_is_served_on_both_http_versions[True]") is None
    )
