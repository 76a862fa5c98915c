# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module over the real supervisord; what converging is, tests of module_utils/host say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor_ini import (
    Daemon,
)
from ansible_collections.inferencebox.platform.plugins.modules import supervisor

from tests.unit.platform_home import SERVER, home, processes_of

from .conftest import Json, Run


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with home() as made:
        yield made


def _program(daemon: Daemon, name: str, code: str) -> tuple[Json, Json]:
    """A program and how it shows that it answers."""
    script = Path(daemon.home, f"{name}.py")
    script.write_text(code, encoding="utf-8")
    socket = f"{daemon.home}/run/{name}.sock"
    log = f"{daemon.logs}/{name}.log"
    row = {
        "name": name,
        "command": [daemon.python, "-S", str(script), socket, "0"],
        "stdout_log": f"{daemon.logs}/{name}.access.log",
        "stderr_log": log,
        "environment": {"COUNT": 1},
    }
    return row, {"program": name, "socket": socket, "timeout": 20, "log": log}


def test_programs_start_answer_and_go(run: Run, daemon: Daemon) -> None:
    program, wait = _program(daemon, "one", SERVER)
    given = {"home": daemon.home, "programs": [program], "waits": [wait]}
    foretold = run(supervisor, check=True, **given)
    assert foretold["changed"] is True
    assert processes_of(daemon, "one.py") == []
    started = run(supervisor, **given)
    assert started["failed_programs"] == {}
    assert started["programs"]["one"]["ready"] is True
    assert len(processes_of(daemon, "one.py")) == 1
    assert run(supervisor, **given)["changed"] is False
    pruned = run(supervisor, home=daemon.home, prune_prefix="one")
    assert pruned["changed"] is True
    assert processes_of(daemon, "one.py") == []
    assert run(supervisor, check=True, home=daemon.home, state="absent")["changed"] is True
    assert run(supervisor, home=daemon.home, state="absent")["changed"] is True
    assert run(supervisor, home=daemon.home, state="absent")["changed"] is False
    assert processes_of(daemon, "supervisord") == []


def test_a_program_that_fails_is_reported_with_its_own_words(run: Run, daemon: Daemon) -> None:
    code = "import sys; sys.exit('model iris cannot be loaded: no file')"
    program, wait = _program(daemon, "bad", code)
    result = run(supervisor, home=daemon.home, programs=[program], waits=[wait])
    assert not result.get("failed")
    assert "model iris cannot be loaded: no file" in result["failed_programs"]["bad"]
    assert result["programs"]["bad"]["ready"] is False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"umask": "rwx"}, "invalid literal"),
        ({"command": None}, "missing required arguments: command"),
    ],
)
def test_a_program_that_cannot_be_is_refused(
    run: Run, daemon: Daemon, changes: Json, said: str
) -> None:
    program, _ = _program(daemon, "one", SERVER)
    row = {key: value for key, value in {**program, **changes}.items() if value is not None}
    failed = run(supervisor, home=daemon.home, programs=[row])
    assert failed["failed"] is True
    assert said in failed["msg"]
    assert processes_of(daemon, "one.py") == []
