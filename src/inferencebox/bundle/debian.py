# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of Debian's packages files of this machine belong to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Where packages put files; what lies elsewhere is somebody's own.
_PLACES = ("/usr/", "/lib", "/bin/", "/sbin/")


def packages(files: Iterable[Path]) -> list[str]:
    """Name the packages that files belong to.

    Args:
        files: Any files; those that belong to none do not matter.

    Returns:
        ``name=version``, sorted; nothing on a machine without dpkg.
    """
    if shutil.which("dpkg-query") is None:
        return []
    asked = set()
    for file in files:
        # dpkg knows files by the names under which they were packed: before, or after /lib became a link.
        for path in (file, file.resolve()):
            if str(path).startswith(_PLACES):
                asked |= {str(path), str(path).removeprefix("/usr"), f"/usr{path}"}
    found = set()
    for line in _query("--search", *sorted(asked)):
        owners, _, _ = line.rpartition(": ")
        found |= {owner for owner in owners.split(", ") if not owner.startswith("diversion")}
    if not found:
        return []
    return sorted(set(_query("--showformat", "${Package}=${Version}\n", "--show", *sorted(found))))


def _query(*words: str) -> list[str]:
    # It complains of each path that it does not know, and answers for the others.
    done = subprocess.run(["dpkg-query", *words], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()
