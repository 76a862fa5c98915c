# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures and the environment of a fresh machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench import process, start, summary


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert summary.percentile(list(range(100, 0, -1)), share) == value


def test_rounds_become_columns_and_failures_are_summed() -> None:
    rounds = [summary.of_round([1.0, 2.0], 1.0, failed) for failed in (1, 2)]
    joined = summary.joined(rounds)
    assert (joined["answers"], joined["failed"]) == (4, 3)
    assert joined["rps"] == [2.0, 2.0]


def test_each_row_of_the_results_is_a_line() -> None:
    text = summary.as_text({"measured": {"cores": 2}, "rows": [{"a": 1}, {"a": 2}]})
    assert text.splitlines()[3:5] == ['  {"a": 1},', '  {"a": 2}']


def test_a_fresh_machine_has_nothing_of_ours(tmp_path: Path) -> None:
    own = str(Path(sys.prefix, "bin"))
    environ = {
        "PATH": os.pathsep.join((own, "/usr/bin")),
        "HOME": "/home/me",
        "UV_CACHE_DIR": "/home/me/uv",
        "VIRTUAL_ENV": sys.prefix,
        "ANSIBLE_CONFIG": "x",
        "MAKEFLAGS": "s",
        "PIP_INDEX_URL": "https://mirror.example/simple",
    }
    fresh = start.fresh_environment(environ, tmp_path)
    assert fresh == {
        "PATH": "/usr/bin",
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / ".cache/uv"),
        "PIP_INDEX_URL": "https://mirror.example/simple",
    }


def test_the_kernel_tells_a_process_s_memory_and_time() -> None:
    memory = process.memory(os.getpid())
    assert 0 < memory["pss"] <= memory["rss"]
    assert process.cpu_microseconds(os.getpid()) > 0
    assert process.tree(os.getpid())[0] == os.getpid()
