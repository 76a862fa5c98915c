# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of upstream's Go modules, read where Go keeps them; none of them is copied."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .building import TOOLS


@dataclass(frozen=True)
class Module:
    """A Go module.

    Attributes:
        path: Its path.
        version: Its version, as Go writes it.
        digest: What Go computes over its content; another content is refused.
    """

    path: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.path}@{self.version}"

    def directory(self) -> Path:
        """Find its files, downloading what Go does not have yet.

        Raises:
            RuntimeError: It cannot be had, or is not the one that was looked at.
        """
        done = subprocess.run(
            ["go", "mod", "download", "-json", str(self)],
            # Outside of any module, or its requirements would change the version.
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        facts = json.loads(done.stdout or "{}")
        if done.returncode != 0 or "Dir" not in facts:
            raise RuntimeError(f"{self}: {facts.get('Error') or done.stderr.strip()}")
        if facts["Sum"] != self.digest:
            raise RuntimeError(f"{self} has the digest {facts['Sum']}, not {self.digest}")
        return Path(facts["Dir"])


@dataclass(frozen=True)
class Package:
    """A package of a Go module that a tool is built with: its version and checksum are the tool's.

    Attributes:
        tool: Name of a folder in `tools`.
        path: Path of the package.
    """

    tool: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} of {self.tool}"

    def directory(self) -> Path:
        """Find its files, downloading what Go does not have yet.

        Raises:
            RuntimeError: It cannot be had.
        """
        done = subprocess.run(
            ["go", "list", "-mod=readonly", "-find", "-f", "{{.Dir}}", self.path],
            cwd=TOOLS / self.tool,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self}: {done.stderr.strip()}")
        return Path(done.stdout.strip())
