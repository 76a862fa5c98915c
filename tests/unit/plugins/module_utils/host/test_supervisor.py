# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs under the real supervisord."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ProcessError
from ansible_collections.inferencebox.platform.plugins.module_utils.host.processes import converge
from ansible_collections.inferencebox.platform.plugins.module_utils.host.readiness import (
    Wait,
    last_words,
    wait_ready,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor import (
    Supervisor,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor_ini import (
    Daemon,
    Program,
    program_ini,
    supervisord_ini,
)

from tests.unit.platform_home import (
    SERVER,
    eventually,
    home,
    processes_of,
    program,
    server,
    socket_of,
)

FAILS_TO_LOAD = (
    "import sys; print('model iris cannot be loaded: no file model.joblib', file=sys.stderr);"
    "print('bye', file=sys.stderr); sys.exit(3)"
)
SLOWLY = "import time; time.sleep(1.5); "
KILLED = (
    "import os, signal, sys; print('loading', file=sys.stderr, flush=True);"
    "os.kill(os.getpid(), signal.SIGKILL)"
)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with home() as made:
        yield made


def _wait(daemon: Daemon, name: str, timeout: float = 20.0) -> Wait:
    return Wait(name, socket_of(daemon, name), "/ready", timeout)


def test_readiness_is_the_programs_own_word(daemon: Daemon) -> None:
    slow = server(daemon, "slow", delay=2.5)
    result = converge(daemon, [slow], [_wait(daemon, "slow")])
    assert result.changed
    assert result.failed == {}
    assert result.readiness["slow"].seconds >= 2, "the socket was there long before"
    again = converge(daemon, [slow], [_wait(daemon, "slow")])
    assert not again.changed
    assert again.readiness["slow"].ready


def test_each_bad_program_has_its_reason_and_the_good_one_is_ready(daemon: Daemon) -> None:
    crash = "import sys; print('no memory left', file=sys.stderr); sys.exit(1)"
    programs = [
        server(daemon, "good"),
        program(daemon, "fast-failure", FAILS_TO_LOAD),
        program(daemon, "slow-failure", SLOWLY + FAILS_TO_LOAD),
        program(daemon, "crashing", SLOWLY + crash),
        server(daemon, "late", delay=3600),
        program(daemon, "mute", SLOWLY + "import os; os._exit(7)"),
        program(daemon, "aborting", SLOWLY + "import os; os.abort()"),
        program(daemon, "killed", SLOWLY + KILLED),
        Program("absent", ("/no/such/program",), f"{daemon.logs}/x", f"{daemon.logs}/y"),
    ]
    waits = [_wait(daemon, one.name, timeout=60) for one in programs]
    waits[4] = _wait(daemon, "late", timeout=2)
    waits[7] = replace(waits[7], bounds="64 MiB are allowed")
    failed = converge(daemon, programs, [*waits, Wait("unknown")]).failed
    reason = "model iris cannot be loaded: no file model.joblib"
    assert failed["fast-failure"] == reason
    assert failed["slow-failure"] == reason
    assert "no memory left" in failed["crashing"]
    assert failed["late"] == "not ready after 2 s; its last words: listening"
    # Whoever looks late enough finds that the daemon gave up, which is not counted.
    ended = {name: why.removeprefix("ended 3 times: ") for name, why in failed.items()}
    assert ended["mute"] == "exit status 7, and it said nothing"
    assert ended["aborting"] == "terminated by SIGABRT, and it said nothing"
    assert ended["killed"] == (
        "terminated by SIGKILL, which is how the kernel ends a process when memory runs out;"
        " its last words: loading; 64 MiB are allowed"
    )
    assert "/no/such/program" in failed["absent"]
    assert failed["unknown"] == "there is no such program"
    assert "good" not in failed
    states = {name: one.state for name, one in Supervisor(daemon).status().items()}
    assert states["fast-failure"] == "STOPPED", "what cannot be loaded is not tried again"
    assert states["slow-failure"] in {"EXITED", "STOPPED"}
    assert states["good"] == "RUNNING"


def test_a_failed_program_is_tried_again_and_old_reasons_are_forgotten(daemon: Daemon) -> None:
    artifact = Path(daemon.home, "artifact")
    missing = f"not os.path.exists({str(artifact)!r})"
    code = f"import os, time\nif {missing}:\n  {FAILS_TO_LOAD}\ntime.sleep(99)"
    model = program(daemon, "model", code)
    wait = _wait(daemon, "model")
    assert "cannot be loaded" in converge(daemon, [model], [wait]).failed["model"]
    second = converge(daemon, [model], [wait])
    assert "cannot be loaded" in second.failed["model"]
    assert second.applied.retried == ("model",)
    assert not second.changed, "the same failure again is no change"
    artifact.touch()
    late = converge(daemon, [model], [_wait(daemon, "model", timeout=2)])
    assert late.failed["model"] == "not ready after 2 s"
    up = converge(daemon, [model], [Wait("model")])
    assert up.failed == {}


def test_each_start_has_its_own_time(daemon: Daemon) -> None:
    done = Path(daemon.home, "done")
    # Its first start takes most of the time that one may take, and so does the second, which ends well.
    code = f"""
import os, sys, time
time.sleep(4)
if not os.path.exists({str(done)!r}):
    open({str(done)!r}, "w").close()
    sys.exit(1)
"""
    one = server(daemon, "one")
    Path(daemon.home, "one.py").write_text(code + SERVER, encoding="utf-8")
    assert converge(daemon, [one], [_wait(daemon, "one", timeout=7)]).failed == {}


def test_what_never_starts_is_left_alone_until_the_next_run(daemon: Daemon) -> None:
    good = Path(daemon.home, "good")
    code = f"import os, time\nif not os.path.exists({str(good)!r}):\n  {SLOWLY}{KILLED}\n"
    one = server(daemon, "one", start_seconds=60, start_tries=3)
    Path(daemon.home, "one.py").write_text(code + SERVER, encoding="utf-8")
    supervisor = Supervisor(daemon)
    assert "SIGKILL" in converge(daemon, [one], [_wait(daemon, "one")]).failed["one"]
    eventually(lambda: supervisor.status()["one"].state == "FATAL", "it is given up")
    good.touch()
    again = converge(daemon, [one], [_wait(daemon, "one")])
    assert again.failed == {}
    assert again.applied.retried == ("one",)
    assert again.changed
    # It answers long before it counts as started.
    assert supervisor.status()["one"].state == "STARTING"


def test_only_what_changed_is_restarted_and_only_what_is_named_is_removed(daemon: Daemon) -> None:
    names = ("gateway", "model.a.1", "model.b.1", "model.c.1")
    programs = {name: server(daemon, name) for name in names}
    converge(daemon, list(programs.values()), [_wait(daemon, name) for name in names])
    pids = {name: one.pid for name, one in Supervisor(daemon).status().items()}
    assert sorted(pids) == ["gateway", "guardian", *names[1:]]
    changed = server(daemon, "model.a.1", revision="2")
    planned = converge(daemon, [changed], prune_prefix="model.", check=True)
    assert planned.changed
    assert {name: one.pid for name, one in Supervisor(daemon).status().items()} == pids
    result = converge(
        daemon,
        [changed],
        [_wait(daemon, "model.a.1")],
        prune_prefix="model.",
        keep_prefixes=["model.b."],
    )
    assert result.applied.restarted == ("model.a.1",)
    assert result.applied.removed == ("model.c.1",)
    now = {name: one.pid for name, one in Supervisor(daemon).status().items()}
    assert sorted(now) == ["gateway", "guardian", "model.a.1", "model.b.1"]
    assert {name for name in now if now[name] == pids[name]} == {"gateway", "guardian", "model.b.1"}
    assert not Path(daemon.programs, "model.c.1.conf").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_that_ends_unasked_comes_back(daemon: Daemon, number: signal.Signals) -> None:
    converge(daemon, [server(daemon, "one")], [_wait(daemon, "one")])
    supervisor = Supervisor(daemon)
    first = supervisor.status()["one"].pid
    os.kill(first, number)
    eventually(lambda: supervisor.status()["one"].pid not in (0, first), "it runs again")
    assert wait_ready(supervisor, [_wait(daemon, "one")])["one"].ready


def test_a_program_that_runs_and_does_not_answer_is_started_again(daemon: Daemon) -> None:
    programs = [server(daemon, "stuck"), server(daemon, "well")]
    waits = [_wait(daemon, one.name, timeout=5) for one in programs]
    assert converge(daemon, programs, waits).failed == {}
    (stuck,) = processes_of(daemon, "stuck.sock")
    (well,) = processes_of(daemon, "well.sock")
    os.kill(stuck, signal.SIGSTOP)
    result = converge(daemon, programs, waits)
    assert result.changed
    assert result.failed == {}
    assert processes_of(daemon, "stuck.sock") != [stuck]
    assert processes_of(daemon, "well.sock") == [well], "nothing else was touched"


def test_shutdown_leaves_no_process_and_can_be_repeated(daemon: Daemon) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(999)"
    programs = [server(daemon, "one"), program(daemon, "stubborn", stubborn, stop_seconds=1)]
    converge(daemon, programs, [_wait(daemon, "one"), Wait("stubborn")])
    assert len(processes_of(daemon, "")) >= 3
    assert Supervisor(daemon).anything_left()
    assert Supervisor(daemon).shutdown()
    assert processes_of(daemon, "") == []
    assert not os.path.exists(daemon.socket)
    assert not Supervisor(daemon).anything_left()
    assert not Supervisor(daemon).shutdown()
    again = converge(daemon, programs, [_wait(daemon, "one")])
    assert again.changed
    assert again.failed == {}


def test_shutdown_ends_a_daemon_that_hangs(daemon: Daemon) -> None:
    converge(daemon, [server(daemon, "one")], [_wait(daemon, "one")])
    # By its file: a child that it has just forked still has its command line.
    os.kill(int(Path(daemon.pid_file).read_text(encoding="ascii")), signal.SIGSTOP)
    supervisor = Supervisor(daemon, call_seconds=0.5, stop_seconds=1.0)
    assert supervisor.shutdown()
    assert processes_of(daemon, "") == []


@pytest.mark.parametrize("damage", [b"", b"\xff{", b"[program:one]\n", b"command=x"])
def test_a_damaged_file_of_a_program_is_made_again(daemon: Daemon, damage: bytes) -> None:
    programs = [server(daemon, "one"), server(daemon, "two")]
    waits = [_wait(daemon, one.name) for one in programs]
    converge(daemon, programs, waits)
    file = Path(daemon.programs, "one.conf")
    whole = file.read_bytes()
    (two,) = processes_of(daemon, "two.sock")
    file.write_bytes(damage)
    # Somebody else's turn comes first, as that of the daemon itself does in each run.
    assert converge(daemon, []).failed == {}
    assert converge(daemon, programs, waits).failed == {}
    assert file.read_bytes() == whole
    assert processes_of(daemon, "two.sock") == [two]


@pytest.mark.parametrize("lost", [["run"], ["run", "supervisor"]], ids=" ".join)
def test_a_daemon_whose_files_were_removed_is_replaced(daemon: Daemon, lost: list[str]) -> None:
    programs = [server(daemon, "one")]
    converge(daemon, programs, [_wait(daemon, "one")])
    before = processes_of(daemon, "")
    for name in lost:
        shutil.rmtree(Path(daemon.home, name))
    os.mkdir(os.path.dirname(daemon.socket))
    assert converge(daemon, programs, [_wait(daemon, "one")]).failed == {}
    assert not set(before) & set(processes_of(daemon, "")), "nothing of before runs beside it"
    assert len(processes_of(daemon, "bin/supervisord -c")) == 1


def test_a_daemon_that_hangs_is_replaced(daemon: Daemon) -> None:
    converge(daemon, [server(daemon, "one")], [_wait(daemon, "one")])
    (pid,) = processes_of(daemon, "bin/supervisord -c")
    os.kill(pid, signal.SIGSTOP)
    assert Supervisor(daemon, call_seconds=0.5, stop_seconds=1.0).start_daemon()
    assert pid not in processes_of(daemon, "bin/supervisord -c")


def test_a_daemon_that_cannot_start_says_why(daemon: Daemon) -> None:
    os.rmdir(os.path.dirname(daemon.socket))
    with pytest.raises(ProcessError, match="supervisord does not start"):
        converge(daemon, [])


def test_new_settings_of_the_daemon_itself_restart_it(daemon: Daemon) -> None:
    programs = [server(daemon, "one")]
    converge(daemon, programs, [_wait(daemon, "one")])
    before = processes_of(daemon, "bin/supervisord -c")
    Path(daemon.config).write_text(Path(daemon.config).read_text() + "; older\n")
    result = converge(daemon, programs, [_wait(daemon, "one")])
    assert result.failed == {}
    after = processes_of(daemon, "bin/supervisord -c")
    assert len(after) == 1
    assert after != before


def test_the_api_and_the_logs_are_the_owners_alone(daemon: Daemon) -> None:
    converge(daemon, [server(daemon, "one")], [_wait(daemon, "one")])
    assert stat.S_IMODE(os.stat(daemon.socket).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(socket_of(daemon, "one")).st_mode) & 0o007 == 0
    assert stat.S_IMODE(os.stat(f"{daemon.logs}/one.log").st_mode) & 0o007 == 0


def test_programs_do_not_inherit_the_environment_of_the_play(daemon: Daemon) -> None:
    code = (
        "import os, sys, time; print(sorted(os.environ), os.environ['ANSWER'], file=sys.stderr,"
        " flush=True); time.sleep(99)"
    )
    os.environ["OF_THE_PLAY"] = "1"
    try:
        one = program(daemon, "one", code, environment={"ANSWER": "100% 'x', y"})
        converge(daemon, [one], [Wait("one")])
    finally:
        del os.environ["OF_THE_PLAY"]
    said = last_words(one.stderr_log)
    assert "OF_THE_PLAY" not in said
    assert said.endswith("100% 'x', y")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs as another user")
def test_programs_run_as_their_own_user(daemon: Daemon) -> None:
    one = Program(
        "one",
        ("/bin/sh", "-c", "echo $(id -un) $HOME >&2; sleep 99"),
        f"{daemon.logs}/one.access.log",
        f"{daemon.logs}/one.log",
        user="nobody",
    )
    converge(daemon, [one], [Wait("one")])
    assert last_words(one.stderr_log) == "nobody /"


def test_the_files_are_what_supervisor_reads(daemon: Daemon) -> None:
    one = Program("one", ("/bin/x", "50%", "a b"), "/log", "/log", environment={"A": "1"})
    text = program_ini(one)
    assert "command=setpriv --pdeathsig KILL -- /bin/x 50%% 'a b'\n" in text
    assert "redirect_stderr=true\n" in text
    assert 'environment=A="1"\n' in text
    assert "inet_http_server" not in supervisord_ini(daemon), "no TCP port"


@pytest.mark.parametrize("value", ["a\nb", "a ;b", "a #b"])
def test_what_the_files_cannot_express_is_refused(value: str) -> None:
    with pytest.raises(ProcessError, match="cannot hold this value"):
        program_ini(Program("one", ("/bin/x", value), "/log", "/log"))
    with pytest.raises(ProcessError, match="double quote"):
        program_ini(Program("one", ("/bin/x",), "/log", "/log", environment={"A": '"'}))


def test_the_last_words_are_a_reason_and_not_a_frame(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("start\nTraceback (most recent call last):\n  File x\nValueError: no\n\n")
    assert last_words(str(log)) == "ValueError: no"
    mark = log.stat().st_size
    assert last_words(str(log), mark) == ""
    log.write_text("rotated\n")
    assert last_words(str(log), mark) == "rotated"
    log.write_text("whole\nhal")
    assert last_words(str(log)) == "whole"
    log.write_text("all that there is")
    assert last_words(str(log)) == "all that there is"
    assert last_words(str(tmp_path / "none")) == ""


def test_a_stale_pid_file_of_another_process_is_not_believed(daemon: Daemon) -> None:
    os.makedirs(daemon.directory)
    other = subprocess.Popen(["sleep", "60"])
    try:
        Path(daemon.pid_file).write_text(f"{other.pid}\n")
        assert not Supervisor(daemon).shutdown()
        time.sleep(0.2)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
