# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The real Envoy AI Gateway without a cluster: `aigw run` in a network namespace of its own.

It opens ports on all addresses, and only one of them can be moved: so it gets a network of its own, with
nothing but loopback in it. Requests go in with curl, which nsenter starts inside.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import to_yaml

from tests.cluster.network import Network

Object = dict[str, Any]

ECHO = Path(__file__).with_name("echo_backend.py")
_START_SECONDS = 120
_STOP_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """What a request got."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Gateway:
    """A running gateway."""

    def __init__(self, network: Network, host: str, port: int, authority: Path, log: Path) -> None:
        """Speak to the gateway that listens on `port` inside `network`."""
        self.network = network
        self.host = host
        self.port = port
        self.authority = authority
        self.log = log

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        raw: bytes | None = None,
    ) -> Answer:
        """Send one request over TLS, on a connection of its own."""
        words = [
            "curl",
            "--http1.1",
            "--silent",
            "--show-error",
            "--max-time",
            "60",
            "--path-as-is",
            "--include",
        ]
        words += [
            "--cacert",
            str(self.authority),
            "--resolve",
            f"{self.host}:{self.port}:127.0.0.1",
        ]
        words += ["--request", method]
        for name, value in (headers or {}).items():
            words += ["--header", f"{name}: {value}"]
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            words += ["--header", "content-type: application/json", "--header", "expect:"]
            words += ["--data-binary", "@-"]
        done = subprocess.run(
            self.network.command(*words, f"https://{self.host}:{self.port}{path}"),
            input=data,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise ConnectionError(done.stderr.decode(errors="replace").strip())
        return _answer(done.stdout.decode(errors="replace"))


def _answer(text: str) -> Answer:
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return Answer(
        int(first.split()[1]), {name.lower(): value.strip() for name, value in pairs}, body
    )


def programs() -> tuple[Path, Path] | None:
    """Find aigw and Envoy in the environment that `make gateway` fills; None without them."""
    root = Path(__file__).resolve().parents[2] / ".cache/cluster/gateway"
    aigw = root / "theagentrouter_local_gateway/bin/aigw"
    envoy = root / "envoy/_bin/envoy"
    return (aigw, envoy) if aigw.is_file() and envoy.is_file() else None


@contextlib.contextmanager
def running(
    directory: Path,
    objects: Sequence[Object],
    secrets: Sequence[Object],
    *,
    host: str,
    port: int,
    backends: Sequence[Sequence[str]],
    authority: Path,
) -> Iterator[Gateway]:
    """Run rendered objects, with backends, until the block ends.

    Args:
        directory: Where all files go.
        objects: The objects of tier 1.
        secrets: What the objects refer to. The engine drops them from its main file, so they are put beside
            it once it runs.
        host: The gateway's host.
        port: Its port.
        backends: Arguments of echo_backend.py, once for each backend.
        authority: The certificate that vouches for the gateway's.
    """
    found = programs()
    assert found is not None, "run make gateway"
    aigw, envoy = found
    (proxy,) = (each for each in objects if each["kind"] == "EnvoyProxy")
    version = proxy["spec"]["provider"]["host"]["envoyVersion"]
    placed = directory / "data/envoy-versions" / version / "bin/envoy"
    placed.parent.mkdir(parents=True)
    placed.symlink_to(envoy)
    (directory / "config.yaml").write_text(to_yaml(objects), encoding="utf-8")
    log = directory / "aigw.log"
    network = Network(f"ib-gateway-{os.getpid()}")
    started: list[subprocess.Popen[bytes]] = []
    try:
        for each in backends:
            words = [sys.executable, str(ECHO), *each]
            started.append(network.start(words, directory / f"echo-{each[0]}.log"))
        environment = {
            "HOME": str(directory),
            "AIGW_CONFIG_HOME": str(directory / "config"),
            "AIGW_DATA_HOME": str(directory / "data"),
            "AIGW_STATE_HOME": str(directory / "state"),
            "AIGW_RUNTIME_DIR": str(directory / "run"),
        }
        words = [str(aigw), "run", str(directory / "config.yaml"), "--run-id=0"]
        process = network.start(words, log, environment)
        started.append(process)
        resources = directory / "state/runs/0/envoy-ai-gateway-resources"
        _wait((resources / "config.yaml").is_file, process, log)
        gateway = Gateway(network, host, port, authority, log)

        def answers() -> bool:
            try:
                return _well(gateway)
            except ConnectionError:
                # What is placed before the gateway watches the folder is not read.
                _place(secrets, resources)
                return False

        _wait(answers, process, log)
        yield gateway
    finally:
        for each_process in reversed(started):
            _stop(each_process)
        network.remove()
        shutil.rmtree(directory / "data", ignore_errors=True)


def _place(secrets: Sequence[Object], resources: Path) -> None:
    # By rename: a file that is read half written ends the process.
    hidden = resources / ".secrets.tmp"
    hidden.write_text(to_yaml(secrets), encoding="utf-8")
    hidden.rename(resources / "secrets.yaml")


def _well(gateway: Gateway) -> bool:
    # Without credentials: once the policy is there, the answer is 401.
    listing = gateway.request("GET", "/v1/models")
    return listing.status == 401 and gateway.request("GET", "/healthz").status == 200


def _wait(condition: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        tail = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        assert process.poll() is None, f"aigw ended: {tail}"
        assert time.monotonic() < deadline, f"the gateway does not answer: {tail}"
        time.sleep(0.5)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
