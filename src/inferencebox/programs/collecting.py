# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs gathered in one directory, where a node of plain binaries looks for them."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterable
from pathlib import Path

from . import building

# What a node runs beside its Kubernetes that no distribution has in these versions, and what then installs charts.
NODE_TOOLS = ("etcd", "helm")


def collect(directory: Path, tools: Iterable[str]) -> list[str]:
    """Put the programs of tools into a directory, and build what has not been built yet.

    Args:
        directory: Made if it is missing. What else lies there stays.
        tools: Names of folders in `tools`.

    Returns:
        Names of the programs that are new or were another build.

    Raises:
        BuildError: One cannot be built.
        OSError: The directory cannot be written to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    built = [path for tool in tools for path in sorted(building.directory(tool).iterdir())]
    return [path.name for path in built if _put(path, directory / path.name)]


def _put(source: Path, target: Path) -> bool:
    # Not by time alone: builds are reproducible, and an unchanged one restarts nothing.
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return False
    # A running program's file cannot be written to, but be replaced.
    part = target.with_name(f".{target.name}.part")
    shutil.copy2(source, part)
    part.rename(target)
    return True
