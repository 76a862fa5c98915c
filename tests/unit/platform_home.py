# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform's home with the real process manager, and small programs to run in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor import (
    Supervisor,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor_ini import (
    Daemon,
    Program,
)

from tests.unit.runtime_environment import runtime_python

# Answers 200 on a Unix socket after a delay.
SERVER = """
import http.server, os, socketserver, sys, time
path, delay = sys.argv[1], float(sys.argv[2])
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = time.monotonic() > begin + delay
        self.send_response(200 if ready else 503)
        self.end_headers()
    def log_message(self, *values):
        pass
if os.path.exists(path):
    os.unlink(path)
begin = time.monotonic()
print("listening", file=sys.stderr, flush=True)
socketserver.UnixStreamServer(path, Answer).serve_forever()
"""


@contextlib.contextmanager
def home() -> Iterator[Daemon]:
    """An empty home whose daemon and programs are gone at the end, whatever happened."""
    # Socket names are limited to 107 bytes, which pytest's own directories exceed.
    path = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    for name in ("run", "logs"):
        (path / name).mkdir()
    (path / "runtime").symlink_to(runtime_python().parents[1])
    daemon = Daemon(str(path), root=os.geteuid() == 0)
    try:
        yield daemon
    finally:
        Supervisor(daemon).shutdown()
        shutil.rmtree(path)


def program(daemon: Daemon, name: str, code: str, *arguments: str, **fields: object) -> Program:
    """A program that runs Python code."""
    script = Path(daemon.home, f"{name}.py")
    script.write_text(code, encoding="utf-8")
    return Program(
        name=name,
        # -S: it needs no packages, and so starts at once.
        command=(daemon.python, "-S", str(script), *arguments),
        stdout_log=f"{daemon.logs}/{name}.access.log",
        stderr_log=f"{daemon.logs}/{name}.log",
        **fields,  # type: ignore[arg-type]
    )


def server(daemon: Daemon, name: str, delay: float = 0.0, **fields: object) -> Program:
    """A program that answers on its socket, and with 200 after `delay` seconds."""
    return program(daemon, name, SERVER, socket_of(daemon, name), str(delay), **fields)


def socket_of(daemon: Daemon, name: str) -> str:
    """Where `server` listens."""
    return f"{daemon.home}/run/{name}.sock"


def eventually(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Wait until a condition holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def processes_of(daemon: Daemon, part: str) -> list[int]:
    """Processes of this home whose command line holds a text."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if daemon.home in line and part in line:
                    found.append(int(entry.name))
    return sorted(found)
