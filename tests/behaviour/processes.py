# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes of a local platform, found by what they were started with."""

from __future__ import annotations

import os
import re
import signal
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

Kind = t.Literal["tier1", "tier2", "model", "supervisord", "guardian", "prometheus"]


@dataclass(frozen=True, slots=True)
class Process:
    """One process. The start time tells it from a later one with the same id."""

    pid: int
    started: int
    command: tuple[str, ...]
    uid: int

    def kill(self) -> None:
        """Ends it as the kernel's out-of-memory killer would: at once and unasked."""
        os.kill(self.pid, signal.SIGKILL)


def find(home: Path, kind: Kind) -> list[Process]:
    """Processes of one kind that serve the platform below `home`.

    Args:
        home: The platform's state directory.
        kind: Which part of the platform.

    Returns:
        The processes, oldest first.
    """
    found = [process for process in everything(home) if _kind(process, home) == kind]
    return sorted(found, key=lambda process: process.started)


def everything(home: Path) -> list[Process]:
    """All processes whose command line names something below `home`."""
    inside = re.compile(rf"{re.escape(str(home))}(/|$)")
    return [
        process
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and (process := _read(entry)) is not None
        and any(inside.search(word) for word in process.command)
    ]


def wait_for(
    home: Path, kind: Kind, *, but_not: t.Sequence[Process], timeout: float = 30.0
) -> list[Process]:
    """Waits until there are as many other processes of a kind as there were.

    Args:
        home: The platform's state directory.
        kind: Which part of the platform.
        but_not: The processes that were ended.
        timeout: Seconds.

    Returns:
        The new processes.
    """
    deadline = time.monotonic() + timeout
    while True:
        new = [process for process in find(home, kind) if process not in but_not]
        if len(new) >= len(but_not):
            return new
        assert time.monotonic() < deadline, f"no new {kind} within {timeout} s"
        time.sleep(0.1)


def listening_ports(processes: t.Sequence[Process]) -> dict[int, list[Process]]:
    """TCP ports at which processes listen, on any address."""
    ports: dict[str, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            # Field 3 is the state, 0A is LISTEN (include/net/tcp_states.h); field 9 the socket's inode.
            if fields[3] == "0A":
                ports[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    found: dict[int, list[Process]] = {}
    for process in processes:
        for inode in _socket_inodes(process.pid):
            if inode in ports:
                found.setdefault(ports[inode], []).append(process)
    return found


def _socket_inodes(pid: int) -> set[str]:
    inodes = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = descriptor.readlink().name if descriptor.is_symlink() else ""
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    except OSError:
        # Ended meanwhile, or another user's: its sockets are not ours to see.
        return inodes
    return inodes


def _kind(process: Process, home: Path) -> Kind | None:
    program = Path(process.command[0]).name
    words = process.command
    if program == "setpriv":
        # On its way to become the program that it names.
        return None
    if program == "envoy" and _any_starts(words, f"{home}/tier1"):
        return "tier1"
    if program == "envoy" and _any_starts(words, f"{home}/tier2"):
        return "tier2"
    if "inferencebox.serving" in words:
        return "model"
    if any(Path(word).name == "supervisord" for word in words[:3]):
        return "supervisord"
    if any("guardian" in word for word in words[:4]):
        return "guardian"
    if "prometheus" in program:
        return "prometheus"
    return None


def _any_starts(words: t.Sequence[str], prefix: str) -> bool:
    return any(word.startswith(prefix) for word in words)


def _read(entry: Path) -> Process | None:
    try:
        command = tuple(
            word.decode(errors="replace")
            for word in (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        )
        # The second field is the name in brackets and may hold spaces; starttime is field 22 of proc(5).
        after_name = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return Process(int(entry.name), int(after_name[19]), command, entry.stat().st_uid)
    except OSError:
        return None
