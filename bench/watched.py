# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A command that says where it is, and when it said so."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .errors import BenchError

_SHOWN_LINES = 20


def lines(
    called: str,
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, float]]:
    """Run a command, and tell each line that it prints with its moment, in seconds of the monotonic clock.

    Args:
        called: Its name where it fails.
        command: Program and arguments.
        directory: Where it runs.
        environment: Its variables; None for those of this process.

    Raises:
        BenchError: It failed, once it has ended.
    """
    said: list[str] = []
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            yield line, time.monotonic()
    if process.returncode:
        raise BenchError(f"{called} failed: {''.join(said[-_SHOWN_LINES:])}")
