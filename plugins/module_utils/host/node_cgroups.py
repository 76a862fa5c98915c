# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Control groups of one name, in every hierarchy of the machine."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t
from pathlib import Path

from ..errors import ProcessError

ROOT = Path("/sys/fs/cgroup")
# In the second version a group has what is enabled for all beside it. Of these the kubelet wants every one that the kernel has:
# k8s.io/kubernetes, pkg/kubelet/cm/cgroup_v2_manager_linux.go. systemd leaves out what no unit of its own needs.
_CONTROLLERS = ("cpu", "cpuset", "hugetlb", "memory", "pids")


def available() -> set[str]:
    """Controllers that the machine has, whether its groups have them or not."""
    if _unified():
        return set(_read("cgroup.controllers"))
    return {path.name for path in ROOT.iterdir()} if ROOT.is_dir() else set()


def enabled() -> list[str]:
    """Controllers that every group of the machine has; none where control groups are of the first version."""
    return _read("cgroup.subtree_control")


def disabled() -> list[str]:
    """Controllers that the kernel has, and groups lack, of those that a node needs; none in the first version."""
    lacking = available() - set(enabled()) if _unified() else set()
    return [name for name in _CONTROLLERS if name in lacking]


def enable() -> None:
    """Give all groups of the machine the controllers that they lack.

    Raises:
        ProcessError: The kernel refuses it.
    """
    names = disabled()
    try:
        _write([f"+{name}" for name in names])
    except OSError as error:
        raise ProcessError(
            f"control groups cannot have {', '.join(names)}: {error}. Where this machine is a container, its processes must be "
            f"in a group below {ROOT}"
        ) from error


def disable(names: t.Iterable[str]) -> None:
    """Take controllers away that were enabled for a node, but for those that somebody else uses by now."""
    for name in names:
        with contextlib.suppress(OSError):
            _write([f"-{name}"])


def _read(file: str) -> list[str]:
    path = ROOT / file
    return path.read_text(encoding="ascii").split() if path.exists() else []


def _write(changes: t.Sequence[str]) -> None:
    (ROOT / "cgroup.subtree_control").write_text(" ".join(changes), encoding="ascii")


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
        if not _unified():
            _fill_cpuset(path)


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


def _fill_cpuset(path: Path) -> None:
    # In the first version a new group may use no processor and no memory until it is said which.
    for setting in ("cpuset.cpus", "cpuset.mems"):
        file = path / setting
        if file.exists() and not file.read_text(encoding="ascii").strip():
            file.write_text((path.parent / setting).read_text(encoding="ascii"), encoding="ascii")


def _unified() -> bool:
    """Whether they are of the second version, with one hierarchy for all controllers."""
    return (ROOT / "cgroup.controllers").exists()


def _places(name: str) -> list[Path]:
    below = name.removeprefix("/")
    if _unified():
        return [ROOT / below]
    # Links are other names of the same hierarchy.
    roots = sorted({path.resolve() for path in ROOT.iterdir() if path.is_dir()})
    return [root / below for root in roots]
