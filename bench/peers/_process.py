# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A peer's process: started, waited for, stopped with its workers by its own id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import BenchError

_POLL_SECONDS = 0.1
_STOP_SECONDS = 10.0


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block lasts.

    Args:
        command: Program and arguments.
        log: File that takes what it says.
        ready: Tells whether it answers.
        timeout: Seconds until it has to.
        environment: Its environment; None: this process's.

    Raises:
        BenchError: It ends or does not answer in time; the message is its last line.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + timeout
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
                raise BenchError(f"{command[0]} does not answer; it said: {said[-1]}")
            time.sleep(_POLL_SECONDS)
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        # Workers outlive a main process that was too slow to stop them.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
