# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Pythons of this machine, and the Ansible that each gets."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

# The first that the project supports: pyproject.toml, requires-python.
OLDEST = 11
_NAME = re.compile(r"python3\.(\d+)")


def found() -> dict[int, Path]:
    """Interpreters that start, by the second part of their version, 3.11 and newer."""
    result: dict[int, Path] = {}
    for directory in _directories():
        for path in sorted(directory.glob("python3.*")):
            match = _NAME.fullmatch(path.name)
            if match and int(match[1]) >= OLDEST and int(match[1]) not in result and _starts(path):
                result[int(match[1])] = path
    return result


def _directories() -> list[Path]:
    """Where programs are looked for. pyenv's shims start only the versions that somebody chose, so its own are named."""
    path = [Path(entry) for entry in os.environ["PATH"].split(os.pathsep) if entry]
    versions = [
        directory
        for shims in path
        if shims.name == "shims"
        for directory in sorted((shims.parent / "versions").glob("*/bin"))
    ]
    return [*(entry for entry in path if entry.name != "shims"), *versions]


def _starts(path: Path) -> bool:
    return subprocess.run([path, "-c", "pass"], capture_output=True, check=False).returncode == 0
