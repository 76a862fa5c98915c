# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import subprocess
import typing as t
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import PlatformError
from ansible_collections.inferencebox.platform.plugins.module_utils.host.run_lock import (
    FILE,
    BusyError,
    Run,
    acquire,
    own_run,
    run_of,
)


@pytest.fixture
def processes() -> t.Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that run until the end of the test."""
    made = [subprocess.Popen(["sleep", "600"]) for _ in range(2)]
    yield made
    for process in made:
        process.kill()
        process.wait()


@pytest.fixture
def two(processes: list[subprocess.Popen[bytes]]) -> list[Run]:
    """Both as runs."""
    return [run_of(process.pid, "inferencebox.platform.site") for process in processes]


def test_one_run_holds_it_until_it_ends(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]], two: list[Run]
) -> None:
    home = str(tmp_path / "platforms/demo")
    assert acquire(home, two[0])
    assert acquire(home, two[0]), "each part of one run may ask"
    with pytest.raises(BusyError, match=f"inferencebox.platform.site, process {two[0].pid} of "):
        acquire(home, two[1])
    processes[0].kill()
    # It stays a zombie: nobody has taken its exit status.
    os.waitid(os.P_PID, processes[0].pid, os.WEXITED | os.WNOWAIT)
    assert acquire(home, two[1])


@pytest.mark.parametrize("damage", ["", "{", '{"pid": 1}', "[]", "null"])
def test_a_damaged_lock_holds_nothing(tmp_path: Path, two: list[Run], damage: str) -> None:
    (tmp_path / FILE).write_text(damage)
    assert acquire(str(tmp_path), two[1])


@pytest.mark.parametrize("other", [{"started": 1}, {"boot": "the one before"}])
def test_another_process_with_the_same_id_holds_nothing(
    tmp_path: Path, two: list[Run], other: dict[str, t.Any]
) -> None:
    (tmp_path / FILE).write_text(json.dumps(asdict(replace(two[0], **other))))
    assert acquire(str(tmp_path), two[1])


def test_nothing_is_made_where_nothing_is(tmp_path: Path, two: list[Run]) -> None:
    home = tmp_path / "home"
    assert not acquire(str(home), two[0], create=False)
    assert not home.exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path, two: list[Run]) -> None:
    home = tmp_path / "file"
    home.touch()
    with pytest.raises(PlatformError, match=f"platform_home {home} cannot be written: "):
        acquire(str(home), two[0])


def test_without_ansible_there_is_no_run() -> None:
    assert own_run() is None
