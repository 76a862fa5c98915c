# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from .conftest import Cli

# For a loaded machine; a line comes within a second.
_PATIENCE_SECONDS = 120.0


@pytest.fixture
def logs(home: Path) -> Path:
    """Logs as programs leave them."""
    place = home / "logs"
    (place / "tier1.log").write_text("".join(f"line {n}\n" for n in range(100)))
    (place / "tier1.access.log").write_text('{"status": 200}\n')
    for age, digest in ((200, "aaaa"), (100, "bbbb")):
        for suffix in ("log", "access.log"):
            file = place / f"model.tenant-a.iris.{digest}.0.{suffix}"
            file.write_text(f"{digest} {suffix}\n")
            os.utime(file, (1_700_000_000 - age, 1_700_000_000 - age))
    (place / "tier1.log.1").write_text("rotated\n")
    return place


@pytest.mark.usefixtures("logs")
def test_without_a_program_it_lists_what_there_is(cli: Cli) -> None:
    assert cli("logs").out.split() == [
        "model.tenant-a.iris.aaaa.0.access",
        "model.tenant-a.iris.aaaa.0",
        "model.tenant-a.iris.bbbb.0.access",
        "model.tenant-a.iris.bbbb.0",
        "tier1.access",
        "tier1",
    ]


@pytest.mark.usefixtures("logs")
def test_the_last_lines_are_shown(cli: Cli) -> None:
    assert cli("logs", "tier1").out.splitlines() == [f"line {n}" for n in range(50, 100)]
    assert cli("logs", "tier1", "--lines", "2").out == "line 98\nline 99\n"
    assert cli("logs", "tier1", "-n", "0").out == ""
    assert cli("logs", "tier1.access").out == '{"status": 200}\n'


def test_a_line_without_an_end_gets_one(cli: Cli, logs: Path) -> None:
    (logs / "tier1.log").write_bytes(b"half \xff")
    assert cli("logs", "tier1").out == "half \ufffd\n"


@pytest.mark.usefixtures("logs")
def test_a_model_is_its_newest_replica(cli: Cli) -> None:
    assert cli("logs", "iris").out == "bbbb log\n"


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize("program", ["nothing", "../platform.json", "smollm2"])
def test_an_unknown_program_names_the_known_ones(cli: Cli, program: str) -> None:
    result = cli("logs", program)
    assert (result.code, result.out) == (1, "")
    assert "tier1, tier1.access" in result.err


def test_logs_that_may_not_be_read_are_explained(cli: Cli, home: Path) -> None:
    (home / "logs").rmdir()
    result = cli("logs")
    assert result.code == 1
    assert f"{home}/logs cannot be read" in result.err


def test_following_loses_nothing_between_the_tail_and_a_rotation(logs: Path) -> None:
    code = "from inferencebox.cli import main; raise SystemExit(main())"
    # A shell's background jobs, as this test may be one, ignore the signal of Ctrl-C.
    command = ["env", "--default-signal=INT"]
    command += [sys.executable, "-c", code, "logs", "tier1", "--lines", "1", "--follow"]
    environment = {**os.environ, "INFERENCEBOX_HOME": str(logs.parent)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as following:
        # Ends the wait for a line that does not come.
        patience = threading.Timer(_PATIENCE_SECONDS, following.kill)
        patience.start()
        assert following.stdout is not None
        read = following.stdout.readline
        assert read() == "line 99\n"
        for number in range(5):
            with (logs / "tier1.log").open("a") as file:
                file.write(f"before rotation {number}\n")
            (logs / "tier1.log").rename(logs / "tier1.log.1")
            (logs / "tier1.log").write_text(f"after rotation {number}\n")
            assert read() == f"before rotation {number}\n"
            assert read() == f"after rotation {number}\n"
        following.send_signal(signal.SIGINT)
        assert following.wait() == 0
        patience.cancel()
        assert following.stderr is not None
        assert following.stderr.read() == ""
