# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long-lived programs of the tests: started together, stopped in reverse, gone with the process that started them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster.network import Network

_START_SECONDS = 120.0
_STOP_SECONDS = 15.0
_SHOWN_LINES = 15


class Processes:
    """Programs that write their output beside each other.

    Args:
        directory: Where they run and log.
        network: Where they run; this machine's own network where it is None.
    """

    def __init__(self, directory: Path, network: Network | None = None) -> None:
        self.directory = directory
        self._network = network
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a program; its output goes to NAME.log."""
        words = self._network.command(*command) if self._network else list(command)
        with (self.directory / f"{name}.log").open("wb") as log:
            # The kernel ends it when this process is gone, however that came about.
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                start_new_session=True,
            )
        self._running.append((name, process))

    def stop(self) -> None:
        """Stop what was started, the last first."""
        while self._running:
            _, process = self._running.pop()
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for something that a program brings about.

        Raises:
            RuntimeError: A program ended, or it took too long; with that program's last words.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not happened():
            for name, process in self._running:
                if process.poll() is not None:
                    raise RuntimeError(
                        f"{name} ended with {process.returncode}\n{self._tail(name)}"
                    )
            if time.monotonic() > deadline:
                name = self._running[-1][0]
                raise RuntimeError(f"{what} does not answer; {name} says\n{self._tail(name)}")
            time.sleep(0.1)

    def _tail(self, name: str) -> str:
        lines = (self.directory / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_SHOWN_LINES:])
