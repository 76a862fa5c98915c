# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start a real replica and speak to it over its socket."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

CREDENTIAL = "a-credential-of-tests"
START_SECONDS = 60.0


@dataclasses.dataclass
class Replica:
    """A running model server and a client that knows its credential."""

    process: subprocess.Popen[str]
    spec: dict[str, Any]
    client: httpx.Client

    @property
    def anonymous(self) -> httpx.Client:
        """A client without the credential."""
        transport = httpx.HTTPTransport(uds=self.spec["socket"])
        return httpx.Client(transport=transport, base_url="http://replica", timeout=30)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.client.close()
        self.process.terminate()
        return self.process.wait(timeout=30)


def write_spec(directory: Path, **keys: Any) -> Path:
    """Write a spec with its credential, and the keys a test cares about."""
    (directory / "credential").write_text(CREDENTIAL + "\n", encoding="utf-8")
    spec = {
        "tenant": "tenant-a",
        "version": "1",
        "socket": str(directory / "s.sock"),
        "credential_file": str(directory / "credential"),
        "threads": 1,
        "apis": ["v1", "v2"],
        "request_timeout_seconds": 20.0,
        **keys,
    }
    path = directory / "spec.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def command(python: Path, spec: Path) -> list[str]:
    return [str(python), "-m", "inferencebox.serving", "--spec", str(spec)]


def start(python: Path, path: Path) -> Replica:
    """Start a replica and wait until its model is ready."""
    spec = json.loads(path.read_text(encoding="utf-8"))
    with (path.parent / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command(python, path), text=True, stdout=log, stderr=log, cwd=path.parent
        )
    client = httpx.Client(
        transport=httpx.HTTPTransport(uds=spec["socket"]),
        base_url="http://replica",
        headers={"authorization": f"Bearer {CREDENTIAL}"},
        timeout=30,
    )
    replica = Replica(process, spec, client)
    llm = spec["framework"] == "llm"
    health = "/health" if llm else f"/v2/models/{spec['name']}/ready"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            # Health is the one thing that anyone may ask.
            if replica.anonymous.get(health).status_code == httpx.codes.OK:
                return replica
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    replica.process.kill()
    raise AssertionError((path.parent / "log").read_text(encoding="utf-8"))


def listening_tcp_ports(pid: int) -> list[int]:
    """TCP ports on which a process listens, from /proc."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            sockets.add(target[len("socket:[") : -1])
    ports = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            listening = "0A"
            if fields[3] == listening and fields[9] in sockets:
                ports.append(int(fields[1].rpartition(":")[2], 16))
    return ports


def mode(path: str) -> int:
    return Path(path).stat().st_mode & 0o777
