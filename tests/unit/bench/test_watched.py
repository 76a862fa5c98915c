# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench import watched
from bench.errors import BenchError


def test_each_line_comes_with_its_moment(tmp_path: Path) -> None:
    begin = time.monotonic()
    told = list(watched.lines("it", ["sh", "-c", "pwd; echo $A >&2"], tmp_path, {"A": "b"}))
    assert [line for line, _ in told] == [f"{tmp_path}\n", "b\n"]
    assert begin <= told[0][1] <= told[1][1] <= time.monotonic()


def test_a_failure_tells_what_was_said_last(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"^it failed: no disk\n$"):
        list(watched.lines("it", ["sh", "-c", "echo no disk; exit 3"], tmp_path))
