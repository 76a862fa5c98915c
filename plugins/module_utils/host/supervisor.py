# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client of supervisor's API on its Unix socket: start the daemon, apply its configuration, stop everything."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import select
import signal
import subprocess
import time
import typing as t
import xmlrpc.client
from dataclasses import dataclass

from ..errors import ProcessError
from .supervisor_ini import GUARDIAN, GUARDIAN_MODULE, Daemon
from .unix_http import UnixConnection

ENDED = frozenset({"EXITED", "FATAL", "STOPPED"})

_POLL_SECONDS = 0.1
_DO_NOT_WAIT = False  # supervisor's name for it: wait
_CALL_SECONDS = 30.0
_DAEMON_SECONDS = 15.0
_STOP_SECONDS = 60.0
_ALIVE = frozenset({"STARTING", "RUNNING", "BACKOFF", "STOPPING"})
_END = r"exit status \d+|terminated by \w+"


@dataclass(frozen=True)
class Status:
    """One program now.

    Attributes:
        state: Supervisor's word for it; STARTING until it has stayed up for as long as a start may take.
        up_seconds: 0 unless it runs.
        spawn_error: Supervisor's word for why it does not.
        started: Unix time of its last start; 0 before the first.
    """

    name: str
    state: str
    pid: int
    up_seconds: int
    spawn_error: str
    log: str
    started: int = 0

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self.state in ("STARTING", "RUNNING")


@dataclass(frozen=True)
class Applied:
    """Names by what was done to them."""

    added: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retried: tuple[str, ...] = ()


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__()
        self._path = path
        self._timeout = timeout

    def make_connection(self, host: t.Any) -> http.client.HTTPConnection:  # noqa: ARG002
        return UnixConnection(self._path, self._timeout)


class Supervisor:
    """The supervisord of one platform, running or not.

    Args:
        daemon: Where it lies.
        call_seconds: How long one call of its API may take.
        stop_seconds: How long programs may take to end after they were asked to.
    """

    def __init__(
        self,
        daemon: Daemon,
        *,
        call_seconds: float = _CALL_SECONDS,
        stop_seconds: float = _STOP_SECONDS,
    ) -> None:
        self.daemon = daemon
        self._call_seconds = call_seconds
        self._stop_seconds = stop_seconds

    # The daemon

    def running(self) -> bool:
        """Whether the daemon answers on its socket."""
        try:
            self._call("getState")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False
        return True

    def start_daemon(self) -> bool:
        """Start supervisord in the background when it does not answer.

        Returns:
            Whether it was started.

        Raises:
            ProcessError: It does not start; the message is its own last line.
        """
        if self.running():
            return False
        # One that runs and cannot be spoken to keeps its programs and their ports.
        self.shutdown()
        done = subprocess.run(
            [self.daemon.executable, "-c", self.daemon.config],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=_clean_environment(),
            cwd=self.daemon.directory,
            start_new_session=True,
            check=False,
        )
        # A guardian may have been faster: then ours has failed and all is well.
        deadline = time.monotonic() + (_DAEMON_SECONDS if done.returncode == 0 else 1.0)
        while not self.running():
            if time.monotonic() > deadline:
                said = (done.stderr + done.stdout).strip().splitlines()
                reason = said[-1] if said else "no answer on its socket"
                raise ProcessError(
                    f"supervisord does not start: {reason}", hint=f"Its log is {self.daemon.log}."
                )
            time.sleep(_POLL_SECONDS)
        return True

    def shutdown(self) -> bool:
        """Stop the guardian, every program and the daemon, in this order, and prove that they are gone.

        Returns:
            Whether anything was running.

        Raises:
            ProcessError: A process survived even SIGKILL.
        """
        with contextlib.ExitStack() as stack:
            watched = self._watch_all(stack)
            if not watched:
                return False
            if self.running():
                self._ask_to_stop()
            else:  # the daemon hangs or is dead: its guardian must not bring it back
                self._signal(watched, signal.SIGTERM)
            self._await_end(watched, self._stop_seconds)
            self._signal(watched, signal.SIGKILL)
            left = self._await_end(watched, 5.0)
        if left:
            raise ProcessError(f"processes that do not end: {', '.join(sorted(left))}")
        for path in (self.daemon.socket, self.daemon.pid_file):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        return True

    def anything_left(self) -> bool:
        """Whether the daemon, its guardian or a program runs."""
        with contextlib.ExitStack() as stack:
            return bool(self._watch_all(stack))

    # Programs

    def status(self) -> dict[str, Status]:
        """Every program by name; empty when the daemon does not run."""
        if not self.running():
            return {}
        infos = t.cast("list[dict[str, t.Any]]", self._call("getAllProcessInfo"))
        return {str(info["name"]): _status(info) for info in infos}

    def running_programs(self) -> tuple[str, ...]:
        """Names of the programs that run now, sorted."""
        return tuple(sorted(name for name, one in self.status().items() if one.runs))

    def last_end(self, name: str) -> str:
        """How a program ended last: "exit status 1", "terminated by SIGKILL"; empty where that is not known any more.

        Only the daemon's log tells which signal it was, and which status when it came soon.
        """
        try:
            with open(self.daemon.log, encoding="utf-8", errors="replace") as file:
                told = re.findall(rf"(?:exited|stopped): {re.escape(name)} \(({_END})", file.read())
        except OSError:
            return ""
        return told[-1] if told else ""

    def apply(self, wanted: t.Collection[str]) -> Applied:
        """Make the daemon run what its configuration files say.

        Args:
            wanted: Names of those that are started again when they have ended.

        Raises:
            ProcessError: The daemon cannot read its files.
        """
        ended = {name for name, one in self.status().items() if one.state in ENDED}
        try:
            answer = self._call("reloadConfig")
        except xmlrpc.client.Fault as fault:
            raise ProcessError(
                f"supervisord refuses its configuration: {fault.faultString}"
            ) from fault
        added, changed, removed = t.cast("list[list[list[str]]]", answer)[0]
        self.stop([*changed, *removed])
        for name in [*changed, *removed]:
            self._call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._call("addProcessGroup", name)
        retried = sorted((ended & set(wanted)) - set(changed) - set(removed))
        self.start(retried)
        return Applied(
            tuple(sorted(added)), tuple(sorted(changed)), tuple(sorted(removed)), tuple(retried)
        )

    def _ask_to_end(self, names: t.Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):  # not running, stopping, or unknown
                self._call("stopProcess", name, _DO_NOT_WAIT)

    def start(self, names: t.Iterable[str]) -> None:
        """Start programs without waiting; one that cannot be spawned shows it in its status."""
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):
                self._call("startProcess", name, _DO_NOT_WAIT)

    def restart(self, names: t.Sequence[str]) -> None:
        """Stop programs, then start them without waiting.

        Raises:
            ProcessError: One does not stop.
        """
        self.stop(names)
        self.start(names)

    def stop(self, names: t.Sequence[str]) -> None:
        """Stop programs side by side and wait until they have ended.

        Raises:
            ProcessError: One outlives its own stop time by far.
        """
        deadline = time.monotonic() + self._stop_seconds
        self._ask_to_end(names)
        while left := self._still_alive(names):
            if time.monotonic() > deadline:
                raise ProcessError(f"programs do not stop: {', '.join(left)}")
            # One that crashed just when it was asked is started again, and must be asked again.
            self._ask_to_end(left)
            time.sleep(_POLL_SECONDS)

    def _still_alive(self, names: t.Collection[str]) -> list[str]:
        return [
            name for name, one in self.status().items() if name in names and one.state in _ALIVE
        ]

    # Ends

    def _ask_to_stop(self) -> None:
        # First the guardian: it would bring back the daemon that is to go.
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            self.stop([GUARDIAN])
            self.stop(list(self.status()))
            self._call("shutdown")

    def _watch_all(self, stack: contextlib.ExitStack) -> dict[str, int]:
        """A pidfd for each process by name; a pidfd never means another process that got the same number."""
        pids = {name: one.pid for name, one in self.status().items() if one.pid} | self._own()
        watched = {}
        for name, pid in pids.items():
            with contextlib.suppress(ProcessLookupError):
                watched[name] = os.pidfd_open(pid)
                stack.callback(os.close, watched[name])
        return watched

    def _own(self) -> dict[str, int]:
        """The daemon and its guardian by what they were started with: files that name them may be gone, or be old."""
        found = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            words = _command_line(int(entry))
            if self.daemon.config in words and self.daemon.executable in words:
                is_guardian = GUARDIAN_MODULE in words
                found[GUARDIAN if is_guardian else "supervisord"] = int(entry)
        return found

    @staticmethod
    def _signal(watched: t.Mapping[str, int], number: signal.Signals) -> None:
        for name in sorted(watched, key=lambda one: one != GUARDIAN):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(watched[name], number)

    @staticmethod
    def _await_end(watched: t.Mapping[str, int], seconds: float) -> list[str]:
        """Names of the processes that have not ended in time."""
        deadline = time.monotonic() + seconds
        while True:
            left = [name for name, handle in watched.items() if not _ended(handle)]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(_POLL_SECONDS)

    def _call(self, method: str, *arguments: t.Any) -> object:
        transport = _UnixTransport(self.daemon.socket, self._call_seconds)
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)


def _status(info: t.Mapping[str, t.Any]) -> Status:
    running = info["statename"] in ("STARTING", "RUNNING")
    return Status(
        name=str(info["name"]),
        state=str(info["statename"]),
        pid=int(info["pid"]),
        # Both are times of a clock that may have been set back.
        up_seconds=max(0, int(info["now"]) - int(info["start"])) if running else 0,
        spawn_error=str(info["spawnerr"]),
        log=str(info["stderr_logfile"] or info["stdout_logfile"]),
        started=int(info["start"]),
    )


def _clean_environment() -> dict[str, str]:
    """What the daemon and so every program inherits: nothing of the shell or play that happened to start it."""
    kept = {name: os.environ[name] for name in ("HOME", "TZ") if name in os.environ}
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        **kept,
    }


def _ended(handle: int) -> bool:
    """A pidfd becomes readable when its process ends."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))


def _command_line(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")
    except OSError:
        return []
