# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel says of a process: its memory, its processor time, its children."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .summary import Json

_TICK_MICROSECONDS = 1_000_000 / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Json:
    """Memory in KiB, from smaps_rollup: {pss, rss}. PSS divides what several processes share among them."""
    rows = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    return {name.lower(): int(rows[name].split()[0]) for name in ("Pss", "Rss")}


def everyone() -> Iterator[Path]:
    """The folder in /proc of every process that there is; one may end before it is looked at."""
    yield from (path for path in Path("/proc").iterdir() if path.name.isdigit())


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def cpu_microseconds(pid: int) -> float:
    """Processor time of a process so far, user and system; the kernel counts in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_MICROSECONDS
