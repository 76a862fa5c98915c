# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Control groups of one name, in every hierarchy of the machine."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def missing(name: str) -> list[Path]:
    """Where the group is not yet.

    Args:
        name: Its name, with a slash before it.
    """
    return [path for path in _places(name) if not path.is_dir()]


def make(name: str) -> None:
    """Make the group where it is missing."""
    for path in missing(name):
        path.mkdir(mode=0o755)
        # In the first version a new group may use no processor and no memory until it is said which.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            file = path / setting
            if file.exists() and not file.read_text(encoding="ascii").strip():
                file.write_text(
                    (path.parent / setting).read_text(encoding="ascii"), encoding="ascii"
                )


def exists(name: str) -> bool:
    """Whether the group is anywhere."""
    return any(path.is_dir() for path in _places(name))


def processes(name: str) -> set[int]:
    """Every process in the group, or in one below it."""
    found: set[int] = set()
    for place in _places(name):
        for folder, _, files in os.walk(place):
            if "cgroup.procs" in files:
                with contextlib.suppress(OSError):
                    text = Path(folder, "cgroup.procs").read_text(encoding="ascii")
                    # 0 is a process that this one cannot see.
                    found |= {int(word) for word in text.split()} - {0}
    return found


def kill(name: str) -> None:
    """End every process in the group at once."""
    for pid in processes(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove(name: str) -> None:
    """Remove the group, which nobody is in any more.

    Raises:
        OSError: Somebody is.
    """
    for place in _places(name):
        for folder, _, _ in os.walk(place, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(folder)


def _places(name: str) -> list[Path]:
    below = name.removeprefix("/")
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT / below]
    # Links are other names of the same hierarchy.
    roots = sorted({path.resolve() for path in _ROOT.iterdir() if path.is_dir()})
    return [root / below for root in roots]
