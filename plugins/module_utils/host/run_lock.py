# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time: who changes a platform stands in a file of its home, and whoever comes second is told.

A run is one process of ansible-playbook, and the file names it by id, start time and boot. So the lock ends with the
process, however that ends: a run that was killed, or that a reboot ended, holds nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import time
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import PlatformError

FILE = ".run.json"
_PROGRAM = "ansible-playbook"
_PLAYBOOKS = ("inferencebox.platform.", ".yml", ".yaml")
# Fields of /proc/PID/stat behind the name in brackets, counted from 0 (proc(5): state, ppid, starttime).
_STATE, _PARENT, _STARTED = 0, 1, 19


class BusyError(PlatformError):
    """Another run is at work on the same platform."""


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        pid: Process id of ansible-playbook.
        started: Start time of this process in clock ticks since the boot.
        boot: Which boot, as the kernel calls it.
        user: Who runs it.
        playbook: What it runs.
        since: Unix time at which it took the lock.
    """

    pid: int
    started: int
    boot: str
    user: str
    playbook: str
    since: int

    def at_work(self) -> bool:
        """Whether its process still runs."""
        stat = _stat(self.pid)
        return stat is not None and int(stat[_STARTED]) == self.started and self.boot == _boot()

    def same(self, other: Run) -> bool:
        """Whether both are one process."""
        return (self.pid, self.started, self.boot) == (other.pid, other.started, other.boot)


def acquire(home: str, own: Run, *, create: bool = True) -> bool:
    """Take the lock of a platform.

    Args:
        home: The platform's directory.
        own: The run that shall hold it.
        create: Make the directory when it is missing; without, there is nothing to lock then.

    Returns:
        Whether the run holds it now.

    Raises:
        BusyError: Another run holds it; the message says which.
        PlatformError: The home cannot be made or written.
    """
    if not (create or os.path.isdir(home)):
        return False
    try:
        os.makedirs(home, 0o711, exist_ok=True)
        # Beside each other only for the moment in which one of them looks and writes.
        handle = os.open(os.path.join(home, FILE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            holder = _read(file.read())
            if holder is not None and holder.at_work() and not holder.same(own):
                raise _busy(home, holder)
            file.seek(0)
            file.truncate()
            file.write(json.dumps(asdict(own)) + "\n")
    except OSError as error:
        raise PlatformError(
            f"platform_home {home} cannot be written: {error.strerror}",
            hint="Make it writable and make room there, or write another platform_home into the inventory.",
        ) from error
    return True


def _busy(home: str, holder: Run) -> BusyError:
    since = time.strftime("%H:%M:%S", time.localtime(holder.since))
    return BusyError(
        f"another run is at work on {home}: {holder.playbook}, process {holder.pid} of {holder.user}, since {since}",
        hint="Run this again when it has ended.",
    )


def own_run() -> Run | None:
    """The run of ansible-playbook that this process is a part of; None where that is on another machine."""
    found = None
    pid = os.getppid()
    # The highest, because its workers look like itself.
    while pid > 1 and (stat := _stat(pid)) is not None:
        words = _words(pid)
        if any(os.path.basename(word) == _PROGRAM for word in words[:2]):
            found = run_of(pid, _playbook(words))
        pid = int(stat[_PARENT])
    return found


def run_of(pid: int, playbook: str) -> Run:
    """Name a process of this machine as a run.

    Raises:
        ProcessLookupError: It has ended.
    """
    stat = _stat(pid)
    if stat is None:
        raise ProcessLookupError(pid)
    user = pwd.getpwuid(os.geteuid()).pw_name
    return Run(pid, int(stat[_STARTED]), _boot(), user, playbook, int(time.time()))


def _playbook(words: t.Sequence[str]) -> str:
    """What a command line of ansible-playbook runs; other words of it may be secret."""
    named = [
        word
        for word in words[1:]
        if word.startswith(_PLAYBOOKS[0]) or word.endswith(_PLAYBOOKS[1:])
    ]
    return os.path.basename(named[-1]) if named else _PROGRAM


def _read(text: str) -> Run | None:
    try:
        return Run(**json.loads(text))
    except (ValueError, TypeError):
        return None  # new, or cut off: nobody who is at work leaves it so


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat behind the name; None for a process that has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in ("Z", "X") else fields


def _words(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return []
    return text.rstrip("\0").split("\0")


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
