# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a program is ready, and why it is not: by its own word where it listens, by its log, and by how it ended."""

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
# Supervisor's own words for an end of which its log says more.
_SAYS_NOTHING = ("Exited too quickly", "Bad exit code")
_BY_SIGNAL = "terminated by"
_OUT_OF_MEMORY = "terminated by SIGKILL"


@dataclass(frozen=True)
class Wait:
    """What makes a program ready.

    Attributes:
        program: Its name.
        socket: Unix socket on which it answers.
        gateway: Where it answers callers over TLS. With neither of the two it is ready when it stays up.
        path: HTTP path that answers 200 when it is ready.
        timeout: Seconds from each of its starts; from the call, for one that ran before.
        log: File in which it says why it is not; None: its standard error as supervisor knows it.
        bounds: What it is bound to, told when it ends or is late without naming a reason of its own.
    """

    program: str
    socket: str | None = None
    path: str = "/"
    timeout: float = 60.0
    log: str | None = None
    gateway: https.Gateway | None = None
    bounds: str = ""


@dataclass(frozen=True)
class Readiness:
    """The end of a wait: ready, or the reason in one line."""

    ready: bool
    reason: str = ""
    seconds: float = 0.0


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
    # Supervisor's time of each start -> when it was seen here, because the machine's clock may be set meanwhile.
    starts: dict[str, dict[int, float]] = {wait.program: {} for wait in waits}
    while len(ends) < len(starts):
        now = supervisor.status()
        for wait in waits:
            if wait.program in ends:
                continue
            status = now.get(wait.program)
            if status is not None and status.started:
                starts[wait.program].setdefault(status.started, time.monotonic())
            mark = (marks or {}).get(wait.program, 0)
            reason = _judge(wait, status, list(starts[wait.program].values()), mark, supervisor)
            if reason is not None:
                seconds = round(time.monotonic() - begin, 2)
                ends[wait.program] = Readiness(not reason, reason, seconds)
                if LOAD_FAILURE in reason:
                    supervisor.stop([wait.program])
        if len(ends) < len(starts):
            time.sleep(_POLL_SECONDS)
    return ends


def last_words(path: str, mark: int = 0) -> str:
    """Why a program failed, from its log: its own load error, else its last whole line that is not indented.

    Args:
        path: The log.
        mark: Bytes of it that are older than the program.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = mark if mark <= size else 0  # it was rotated
            file.seek(max(start, size - _LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines(keepends=True)
    except OSError:
        return ""
    if len(lines) > 1 and not lines[-1].endswith("\n"):
        del lines[-1]  # it is being written
    told = [line.strip() for line in lines if line.strip() and not line[0].isspace()]
    reasons = [line for line in told if LOAD_FAILURE in line]
    return (reasons or told or [""])[-1]


def why_it_ended(supervisor: Supervisor, status: Status, last: str, bounds: str = "") -> str:
    """Why a program that does not run has ended, in one line.

    Args:
        supervisor: The daemon that ran it.
        status: The program.
        last: Its last words.
        bounds: As in `Wait`.
    """
    if LOAD_FAILURE in last:
        return last
    if status.spawn_error and not status.spawn_error.startswith(_SAYS_NOTHING):
        return status.spawn_error
    how = supervisor.last_end(status.name)
    if how == _OUT_OF_MEMORY:
        how += ", which is how the kernel ends a process when memory runs out"
    if not last:
        reason = f"{how or 'it ended'}, and it said nothing"
    elif how.startswith(_BY_SIGNAL):
        reason = f"{how}; its last words: {last}"
    else:
        reason = f"{last} ({how})" if how else last
    return f"{reason}; {bounds}" if bounds else reason


def _answers(wait: Wait, state: str) -> tuple[bool, str]:
    """Whether a program answers, and why not, where more can be said than that."""
    if state not in ("STARTING", "RUNNING"):
        return False, ""
    if wait.gateway is not None:
        problem = https.problem(wait.gateway, wait.path)
        return problem is None, problem or ""
    if wait.socket is not None:
        return probe(wait.socket, wait.path) == http.HTTPStatus.OK, ""
    return state == "RUNNING", ""


def _judge(
    wait: Wait,
    status: Status | None,
    starts: t.Sequence[float],
    mark: int,
    supervisor: Supervisor,
) -> str | None:
    """The end of a wait: empty for a program that is ready, else the reason; None to go on."""
    if status is None:
        return "there is no such program"
    answers, problem = _answers(wait, status.state)
    if answers:
        return ""
    last = last_words(wait.log or status.log, mark)
    if status.state == "BACKOFF" and LOAD_FAILURE in last:
        return last
    if status.state in ENDED:
        return why_it_ended(supervisor, status, last, wait.bounds)
    if len(starts) >= _STARTS_BEFORE_GIVING_UP:
        reason = why_it_ended(supervisor, status, last, wait.bounds)
        return f"ended {len(starts) - 1} times: {reason}"
    if starts and time.monotonic() - starts[-1] >= wait.timeout:
        words = [problem or f"not ready after {wait.timeout:g} s"]
        words += [f"its last words: {last}"] if last else []
        return "; ".join([*words, *([wait.bounds] if wait.bounds else [])])
    return None
