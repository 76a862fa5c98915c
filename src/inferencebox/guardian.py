# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring supervisord back when it was killed.

supervisord restarts everything that it runs, the guardian included, but nobody restarts supervisord. The guardian is its
child and waits for its end. A supervisord that is told to stop first stops the guardian, so that an end which the
guardian lives to see was not wanted. It then starts a new supervisord and ends: the new one has a guardian of its own.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from types import FrameType

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


class Guardian:
    """Watches one supervisord.

    Args:
        supervisord: Path of the command.
        config: Its configuration file.
        lock: File that the one guardian at work keeps locked; it holds the guardian's process id.
        log: File in which it says what it does.
    """

    def __init__(self, supervisord: str, config: str, lock: Path, log: Path) -> None:
        self._command = [supervisord, "-c", config]
        self._lock = lock
        self._log = log

    def run(self) -> None:
        """Watch until supervisord ends, then bring it back."""
        parent = os.getppid()
        with self._lock.open("a+", encoding="ascii") as file:
            # The guardian that started this supervisord may still be on its way out.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            if self._is_supervisord(parent):
                _wait_for_end(parent)
            self._say("supervisord is gone; starting it again")
            self._restart()

    def _is_supervisord(self, pid: int) -> bool:
        """Whether the parent is what is to be watched: killed early, it has been replaced by init already."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return os.fsencode(self._command[-1]) in command.split(b"\0")

    def _say(self, text: str) -> None:
        # Standard error is a pipe to supervisord, and so gone when there is something to say.
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{moment} {text}\n")

    def _restart(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            # Its children die with it and let go of their sockets within this pause.
            time.sleep(pause)
            done = subprocess.run(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                start_new_session=True,
            )
            if done.returncode == 0:
                return
            if "already listening" in done.stderr:
                return  # somebody was faster
            self._say(f"supervisord does not start: {done.stderr.strip()}")
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _wait_for_end(pid: int) -> None:
    """Return when the parent with this process id has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # It may have ended before the handle was opened, and its number may be another's by now.
        if os.getppid() != pid:
            return
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll()
    finally:
        os.close(handle)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's arguments
    raise SystemExit(0)


def main() -> None:
    """Run until supervisord has been brought back, or until SIGTERM."""
    parser = argparse.ArgumentParser(description="Bring supervisord back when it was killed.")
    parser.add_argument("--supervisord", required=True, help="path of the supervisord command")
    parser.add_argument("--config", required=True, help="its configuration file")
    parser.add_argument("--lock", required=True, type=Path, help="lock file of the guardian")
    parser.add_argument("--log", required=True, type=Path, help="where to say what it does")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    Guardian(options.supervisord, options.config, options.lock, options.log).run()


if __name__ == "__main__":
    main()
