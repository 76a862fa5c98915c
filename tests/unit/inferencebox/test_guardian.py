# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What heals when the process manager, its guardian or both are killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host.processes import converge
from ansible_collections.inferencebox.platform.plugins.module_utils.host.readiness import Wait
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor import (
    Supervisor,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor_ini import (
    Daemon,
    guardian_program,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.unix_http import probe

from tests.unit.platform_home import eventually, home, processes_of, server, socket_of

SUPERVISORD = "bin/supervisord -c"
GUARDIAN = "inferencebox.guardian"


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A home in which a server runs, with everything that keeps it running."""
    with home() as made:
        one = server(made, "one")
        converge(made, [one], [Wait("one", socket_of(made, "one")), Wait("guardian")])
        yield made


def _whole(daemon: Daemon) -> bool:
    """One of each, all in working order."""
    status = Supervisor(daemon).status()
    return (
        len(processes_of(daemon, SUPERVISORD)) == 1
        and processes_of(daemon, GUARDIAN) == [status.get("guardian") and status["guardian"].pid]
        and len(processes_of(daemon, "one.sock")) == 1
        and probe(socket_of(daemon, "one"), "/") == 200
    )


def test_a_killed_supervisord_comes_back_with_everything(daemon: Daemon) -> None:
    assert _whole(daemon)
    for _ in range(2):  # the second time by the guardian that the first time brought
        old = processes_of(daemon, "")
        (pid,) = processes_of(daemon, SUPERVISORD)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda old=old: not set(old) & set(processes_of(daemon, "")), "no orphan")  # type: ignore[misc]
        eventually(lambda: _whole(daemon), "all is whole again", 30)


def test_a_killed_guardian_comes_back_and_still_guards(daemon: Daemon) -> None:
    (server_pid,) = processes_of(daemon, "one.sock")
    (guardian,) = processes_of(daemon, GUARDIAN)
    os.kill(guardian, signal.SIGKILL)
    eventually(lambda: processes_of(daemon, GUARDIAN) not in ([], [guardian]), "a new guardian")
    eventually(lambda: _whole(daemon), "all is whole again")
    assert processes_of(daemon, "one.sock") == [server_pid], "nothing else was touched"
    (pid,) = processes_of(daemon, SUPERVISORD)
    os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: pid not in processes_of(daemon, SUPERVISORD) and _whole(daemon), "healed", 30
    )


def test_a_supervisord_killed_before_its_guardian_looks_comes_back(daemon: Daemon) -> None:
    Supervisor(daemon).shutdown()
    # Its parent is nobody that it could wait for, as when supervisord dies while the guardian starts.
    guardian = subprocess.Popen(guardian_program(daemon).command)
    eventually(lambda: _whole(daemon), "healed", 30)
    assert guardian.wait(15) == 0


def test_both_killed_at_once_leave_no_orphan_and_the_next_start_heals(daemon: Daemon) -> None:
    for pid in processes_of(daemon, GUARDIAN) + processes_of(daemon, SUPERVISORD):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: processes_of(daemon, "") == [], "no orphan")
    result = converge(daemon, [server(daemon, "one")], [Wait("one", socket_of(daemon, "one"))])
    assert result.changed
    eventually(lambda: _whole(daemon), "all is whole again")


def test_a_supervisord_that_is_told_to_stop_is_not_brought_back(daemon: Daemon) -> None:
    (pid,) = processes_of(daemon, SUPERVISORD)
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: processes_of(daemon, "") == [], "all have ended")
    with pytest.raises(AssertionError, match="not within"):
        eventually(lambda: processes_of(daemon, "") != [], "somebody is back", 3)


def test_shutdown_while_the_guardian_heals_leaves_nothing(daemon: Daemon) -> None:
    (pid,) = processes_of(daemon, SUPERVISORD)
    os.kill(pid, signal.SIGKILL)
    Supervisor(daemon).shutdown()
    with pytest.raises(AssertionError, match="not within"):
        eventually(lambda: processes_of(daemon, "") != [], "somebody is back", 3)
