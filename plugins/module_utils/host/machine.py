# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the local target must know of a machine before it changes anything."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import sys
import typing as t
from pathlib import Path


def facts(home: str | None = None) -> dict[str, t.Any]:
    """Facts of the machine and the installing user.

    Args:
        home: The platform's directory, whose tenants of now are wanted.

    Returns:
        root, user, group, cpus, python (an interpreter that every user may run, or None), tenants.
    """
    return {
        "root": os.geteuid() == 0,
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "group": grp.getgrgid(os.getegid()).gr_name,
        "cpus": len(os.sched_getaffinity(0)),
        "python": interpreter(),
        "tenants": _tenants(Path(home, "run/models")) if home else [],
    }


def interpreter() -> str | None:
    """An interpreter (3.11 or newer) that every Unix user may run; without root, simply the running one.

    Tenants' processes run as users of their own, and an interpreter below a private home is closed to them.
    """
    own = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    system = sorted(Path("/usr/bin").glob("python3.[0-9]*"), reverse=True)
    candidates = [own, *(p for p in system if p.name.removeprefix("python3.").isdigit())]
    for path in candidates:
        minor = path.name.removeprefix("python3.")
        new_enough = minor.isdigit() and int(minor) >= 11
        if new_enough and path.exists() and (os.geteuid() != 0 or _open_to_all(path.resolve())):
            return str(path)
    return None


def _tenants(sockets: Path) -> list[dict[str, str | None]]:
    """Name and Unix user of each tenant that has a directory for sockets, those that have left the inventory too."""
    found: list[dict[str, str | None]] = []
    for path in sorted(sockets.iterdir()) if sockets.is_dir() else ():
        try:
            user = pwd.getpwuid(path.stat().st_uid).pw_name
        except KeyError:
            user = None  # removed by hand
        found.append({"name": path.name, "user": user})
    return found


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents))
