# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LiteLLM's proxy with a key, TLS and a worker for each that the tiers have, in front of the same LLM."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.host.package_index import (
    uv_environment,
)

from tests.ports import free_ports

from ..endpoint import Endpoint, Request
from ..errors import BenchError
from ..machine import ROOT
from ..subject import Subject
from ._process import running as run
from .plain_envoy import PlainEnvoy

_REQUIREMENTS = ROOT / "requirements/bench.txt"
_ENVIRONMENT = ROOT / ".cache/bench/litellm"
_START_SECONDS = 120.0


@dataclass(frozen=True)
class LiteLLM:
    """A running one.

    Attributes:
        endpoint: TLS, with its key.
        upstream: The way that it takes to the model server: what it adds is added to that.
        pid: Its first process.
        version: What it is.
    """

    endpoint: Endpoint
    upstream: Endpoint
    pid: int
    version: str


@contextmanager
def running(subject: Subject, envoy: PlainEnvoy, directory: Path) -> Iterator[LiteLLM]:
    """Install it when need be, and run it while the block lasts.

    Args:
        subject: The platform whose LLM it stands before.
        envoy: The hop by which it reaches the LLM, for it can use no Unix socket.
        directory: Where its files go.

    Raises:
        BenchError: It cannot be installed or does not start.
    """
    _install()
    model = subject.llm.name
    credential = subject.credential_file(subject.llm).read_text(encoding="ascii").strip()
    upstream = Endpoint("hop", "127.0.0.1", credential, address=("127.0.0.1", envoy.llm_port))
    config = directory / "litellm.yaml"
    # YAML holds JSON.
    config.write_text(
        json.dumps(
            {
                "model_list": [
                    {
                        "model_name": model,
                        "litellm_params": {
                            "model": f"openai/{model}",
                            "api_base": f"{upstream.url}/v1",
                            "api_key": "os.environ/UPSTREAM_KEY",
                        },
                    }
                ],
                "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
            }
        )
    )
    (port,) = free_ports(1)
    key = f"sk-{secrets.token_urlsafe(24)}"
    workers = str(max(1, min(4, len(os.sched_getaffinity(0)))))
    command = [str(_ENVIRONMENT / "bin/litellm"), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--run_gunicorn", "--num_workers", workers]
    command += ["--ssl_certfile_path", subject.certificate("server", "crt")]
    command += ["--ssl_keyfile_path", subject.certificate("server", "key")]
    environment = {
        "PATH": f"{_ENVIRONMENT / 'bin'}:{os.environ['PATH']}",
        "HOME": str(directory),
        "LITELLM_MASTER_KEY": key,
        "UPSTREAM_KEY": credential,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks the network at its start
        "LITELLM_LOG": "ERROR",
        "LITELLM_MODE": "PRODUCTION",
    }
    endpoint = Endpoint(
        "litellm", subject.platform.host, key, address=("127.0.0.1", port), tls=subject.tls()
    )

    def ready() -> bool:
        try:
            return endpoint.ask(Request("alive", "GET", "/health/liveliness")) == 200
        except OSError:
            return False

    with run(
        command,
        directory / "litellm.log",
        ready,
        timeout=_START_SECONDS,
        environment=environment,
    ) as process:
        yield LiteLLM(endpoint, upstream, process.pid, _version())


def _version() -> str:
    pins = (line.split()[0] for line in _REQUIREMENTS.read_text().splitlines() if "==" in line)
    return next(pin.partition("==")[2] for pin in pins if pin.startswith("litellm=="))


def _install() -> None:
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    stamp = _ENVIRONMENT / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    uv = str(Path(sys.executable).parent / "uv")
    environment = {**os.environ, **uv_environment(os.environ)}
    environment.pop("VIRTUAL_ENV", None)
    python = str(_ENVIRONMENT / "bin/python")
    pins = ["--python", python, "--require-hashes", "--compile-bytecode", str(_REQUIREMENTS)]
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_ENVIRONMENT)],
        [uv, "pip", "sync", "--quiet", *pins],
    ):
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise BenchError(f"LiteLLM cannot be installed: {done.stderr.strip()}")
    stamp.write_text(wanted)
