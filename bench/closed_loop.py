# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""So many connections, each asking as soon as it has its answer: h2load.

h2load (nghttp2) is the tool that there is which speaks HTTP/1.1 over Unix sockets and TLS alike, keeps connections open
and writes down each single request. wrk, hey and k6 open no Unix socket, so they cannot ask a model
server directly.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from .endpoint import Endpoint, Request
from .errors import BenchError
from .summary import Json, of_round

_OK = "200"
# Of all requests, those that start first open connections behind the proxies and fill caches; they are not counted.
_WARM_UP_SHARE = 0.05


def require() -> None:
    """Check that the tool is there.

    Raises:
        BenchError: It is not.
    """
    if not shutil.which("h2load"):
        raise BenchError(
            "h2load is not installed: apt-get install nghttp2-client (Debian, Ubuntu)."
        )


def version() -> str:
    """Version of the tool, as it says it."""
    done = subprocess.run(["h2load", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().rpartition("/")[2]


def measure(endpoint: Endpoint, request: Request, connections: int, requests: int) -> Json:
    """One round.

    Args:
        endpoint: Whom to ask.
        request: What to ask.
        connections: How many at once.
        requests: How many in all.

    Returns:
        {p50_ms, p99_ms, rps, answers, failed}.

    Raises:
        BenchError: The tool failed, or no request was answered.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        log, body = Path(directory, "log"), Path(directory, "body")
        command = ["nsenter", f"--net={endpoint.network}"] if endpoint.network else []
        command += ["h2load", "--h1", f"--clients={connections}", "--threads=1"]
        command += [f"--requests={requests}", f"--log-file={log}"]
        # Seen by all users of the machine; it is of a platform that ends with this run.
        for name, value in endpoint.headers(request).items():
            command += ["--header", f"{name}: {value}"]
        if request.content:
            body.write_bytes(request.content)
            command += [f"--data={body}"]
        if endpoint.unix:
            command += [f"--base-uri=unix:{endpoint.unix}"]
        elif endpoint.address:
            command += [f"--connect-to={endpoint.address[0]}:{endpoint.address[1]}"]
        done = subprocess.run(
            [*command, endpoint.url + request.path], capture_output=True, text=True, check=False
        )
        rows = [line.split("\t") for line in log.read_text().splitlines()] if log.exists() else []
    # Rows: microseconds since the epoch at which a request started, status, microseconds until its end.
    timed = sorted((int(start), status, int(took)) for start, status, took, *_ in rows)
    counted = timed[int(len(timed) * _WARM_UP_SHARE) :]
    good = [took / 1000 for _, status, took in counted if status == _OK]
    if done.returncode or not good:
        said = done.stderr.strip().splitlines() or [f"status {timed[0][1] if timed else 'none'}"]
        raise BenchError(f"{request.name} over {endpoint.name} was never answered: {said[-1]}")
    # What broke off has no row at all.
    failed = len(counted) - len(good) + requests - len(timed)
    span = max(start + took for start, _, took in counted) - counted[0][0]
    return of_round(good, span / 1_000_000, failed)
