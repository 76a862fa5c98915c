# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a program is ready, and why it is not: by its own word where it listens, and by its log."""

from __future__ import annotations

import http
import os
import time
import typing as t
from dataclasses import dataclass

from . import https
from .supervisor import ENDED, Status, Supervisor
from .unix_http import probe

# A line with this on standard error is final: the model server will not try again (exit code 3).
LOAD_FAILURE = "cannot be loaded:"

_POLL_SECONDS = 0.1
_STARTS_BEFORE_GIVING_UP = 4  # a program that ended so often will not be ready in this run
_LOG_TAIL_BYTES = 65536


@dataclass(frozen=True)
class Wait:
    """What makes a program ready.

    Attributes:
        program: Its name.
        socket: Unix socket on which it answers.
        gateway: Where it answers callers over TLS. With neither of the two it is ready when it stays up.
        path: HTTP path that answers 200 when it is ready.
        timeout: Seconds from the call.
        log: File in which it says why it is not; None: its standard error as supervisor knows it.
    """

    program: str
    socket: str | None = None
    path: str = "/"
    timeout: float = 60.0
    log: str | None = None
    gateway: https.Gateway | None = None


@dataclass(frozen=True)
class Readiness:
    """The end of a wait: ready, or the reason in one line."""

    ready: bool
    reason: str = ""
    seconds: float = 0.0

    @classmethod
    def failed(cls, reason: str, seconds: float) -> Readiness:
        """A program that is not ready, after so many seconds."""
        return cls(ready=False, reason=reason, seconds=seconds)


def wait_ready(
    supervisor: Supervisor,
    waits: t.Sequence[Wait],
    marks: t.Mapping[str, int] | None = None,
) -> dict[str, Readiness]:
    """Wait for several programs at once.

    Args:
        supervisor: The daemon that runs them.
        waits: What to wait for.
        marks: Size of each program's log before it was started, so that an old reason is not told again.

    Returns:
        The end of each wait by program. A model that says it cannot be loaded is stopped, not retried.
    """
    begin = time.monotonic()
    ends: dict[str, Readiness] = {}
    starts: dict[str, set[int]] = {wait.program: set() for wait in waits}
    while len(ends) < len(starts):
        now = supervisor.status()
        for wait in waits:
            if wait.program in ends:
                continue
            mark = (marks or {}).get(wait.program, 0)
            seconds = round(time.monotonic() - begin, 2)
            end = _judge(wait, now.get(wait.program), starts[wait.program], mark, seconds)
            if end is not None:
                ends[wait.program] = end
                if LOAD_FAILURE in end.reason:
                    supervisor.stop([wait.program])
        if len(ends) < len(starts):
            time.sleep(_POLL_SECONDS)
    return ends


def last_words(path: str, mark: int = 0) -> str:
    """Why a program failed, from its log: its own load error, else its last line that is not indented.

    Args:
        path: The log.
        mark: Bytes of it that are older than the program.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = mark if mark <= size else 0  # it was rotated
            file.seek(max(start, size - _LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    told = [line.strip() for line in lines if line.strip() and not line[0].isspace()]
    reasons = [line for line in told if LOAD_FAILURE in line]
    return (reasons or told or [""])[-1]


def _no_answer(wait: Wait) -> str | None:
    """Why a running program does not answer, where more can be said than that; None when it does."""
    if wait.gateway is not None:
        return https.problem(wait.gateway, wait.path)
    if wait.socket is not None and probe(wait.socket, wait.path) != http.HTTPStatus.OK:
        return ""
    return None


def _judge(
    wait: Wait, status: Status | None, starts: set[int], mark: int, seconds: float
) -> Readiness | None:
    """The end of a wait, or None to go on."""
    if status is None:
        return Readiness.failed("there is no such program", seconds)
    log = wait.log or status.log
    why = _no_answer(wait) if status.state == "RUNNING" else ""
    if why is None:
        return Readiness(ready=True, seconds=seconds)
    if status.started:
        starts.add(status.started)
    last = last_words(log, mark)
    if status.state == "BACKOFF" and LOAD_FAILURE in last:
        return Readiness.failed(last, seconds)
    if status.state in ENDED:
        ended = f"ended with exit status {status.exit_status}"
        return Readiness.failed(last or status.spawn_error or ended, seconds)
    if len(starts) >= _STARTS_BEFORE_GIVING_UP:
        reason = last or status.spawn_error
        return Readiness.failed(f"ended {len(starts) - 1} times: {reason}", seconds)
    if seconds >= wait.timeout:
        reason = why or f"not ready after {wait.timeout:g} s"
        return Readiness.failed(f"{reason}; its last words: {last}" if last else reason, seconds)
    return None
