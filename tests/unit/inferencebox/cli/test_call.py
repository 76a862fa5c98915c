# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox predict`` and ``chat``: what goes over the wire, and what is made of the answer."""

from __future__ import annotations

import io
import json
import sys
import typing as t
from pathlib import Path

import jwt
import pytest

from inferencebox.cli.call import predict_path

from .conftest import IRIS, Cli, platform_json, write_platform
from .edge import Edge, edge


@pytest.fixture
def gateway(state: Path) -> t.Iterator[Edge]:
    """The only platform of this machine, with a server in the place of its edge."""
    place = write_platform(state / "demo")
    (place / "pki").mkdir()
    with edge(place / "pki") as made:
        description = platform_json(place, port=made.port)
        (place / "platform.json").write_text(json.dumps(description))
        yield made


def _tenant(gateway: Edge) -> str:
    """Whose token the last request carried."""
    scheme, _, token = gateway.asked[-1].headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    return str(jwt.decode(token, options={"verify_signature": False})["tenant"])


def test_without_data_the_models_example_is_sent_by_its_owner(cli: Cli, gateway: Edge) -> None:
    gateway.answers(200, {"predictions": [0]})
    result = cli("predict", "iris")
    assert (result.code, result.json) == (0, {"predictions": [0]})
    (asked,) = gateway.asked
    assert (asked.path, asked.body) == ("/v1/models/iris:predict", IRIS)
    assert asked.headers["host"].startswith("gateway.inference.localhost")
    assert _tenant(gateway) == "tenant-a"


@pytest.mark.parametrize("how", ["argument", "file", "standard input"])
def test_data_comes_from_where_it_is_said(
    cli: Cli, gateway: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    body = {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [1]}]}
    text = json.dumps(body)
    (tmp_path / "body.json").write_text(text)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    data = {"argument": text, "file": f"@{tmp_path}/body.json", "standard input": "-"}[how]
    assert cli("predict", "iris", "--tenant", "tenant-b", "--data", data).code == 0
    (asked,) = gateway.asked
    assert (asked.path, asked.body) == ("/v2/models/iris/infer", body)
    assert _tenant(gateway) == "tenant-b"


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["predict", "nothing"], 1, "iris, smollm2"),
        (["predict", "iris", "--tenant", "tenant-x"], 1, "tenant-a, tenant-b"),
        (["predict", "iris", "--data", "{"], 2, "--data is no JSON"),
        (["predict", "iris", "--data", "@/nowhere.json"], 2, "/nowhere.json cannot be read"),
        (["predict", "iris", "--data", "[]"], 2, '"instances" (v1) or "inputs" (v2)'),
        (["predict", "smollm2", "--data", "{}"], 1, "does not predict"),
        (["chat", "iris", "hello"], 1, "does not chat"),
        (["chat", "smollm2", "hello", "--stream", "--json"], 2, "exclude each other"),
        (["chat", "smollm2", "hello", "--max-tokens", "0"], 2, "max-tokens"),
    ],
)
def test_what_cannot_be_asked_is_not_sent(
    cli: Cli, gateway: Edge, arguments: list[str], code: int, said: str
) -> None:
    result = cli(*arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (404, {}, "inferencebox models --tenant NAME"),
        (429, {"retry_after": "17"}, "Try again in 17 seconds."),
        (503, {}, "inferencebox status"),
        (500, {}, "the platform answered 500: no"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_next_step(
    cli: Cli, gateway: Edge, status: int, headers: dict[str, str], said: str
) -> None:
    gateway.answers(status, {"error": "no"}, x_request_id="abc-123", **headers)
    for command in (["predict", "iris"], ["chat", "smollm2", "hello"]):
        result = cli(*command)
        assert (result.code, result.out) == (1, "")
        assert f"the platform answered {status}: no" in result.err
        assert said in result.err
        assert "abc-123" in result.err


def test_an_answer_that_is_no_json_is_shown_as_it_is(cli: Cli, gateway: Edge) -> None:
    gateway.status, gateway.content = 502, b"bad gateway"
    assert "the platform answered 502: bad gateway" in cli("predict", "iris").err


def test_chat_prints_the_answers_text(cli: Cli, gateway: Edge) -> None:
    answer = {"choices": [{"message": {"content": "I am [a] gateway."}}]}
    gateway.answers(200, answer)
    result = cli("chat", "smollm2", "who are you", "--max-tokens", "7")
    assert (result.code, result.out) == (0, "I am [a] gateway.\n")
    (asked,) = gateway.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "model": "smollm2",
        "messages": [{"role": "user", "content": "who are you"}],
        "max_tokens": 7,
    }
    assert _tenant(gateway) == "tenant-b"
    assert cli("chat", "smollm2", "who", "--json").json == answer


def test_what_to_say_may_come_from_standard_input(
    cli: Cli, gateway: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.answers(200, {"choices": [{"message": {"content": "x"}}]})
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe\n"))
    assert cli("chat", "smollm2").code == 0
    assert gateway.asked[0].body["messages"][0]["content"] == "from a pipe"


def test_a_stream_is_printed_in_order_to_its_end(cli: Cli, gateway: Edge) -> None:
    pieces = ["I ", "am ", "[a]", "\n\u00e9"]
    events: list[t.Any] = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
    events.insert(0, {"choices": [{"delta": {"role": "assistant", "content": None}}]})
    events.append({"choices": [], "usage": {"total_tokens": 4}})
    lines = [": a comment", *(f"data: {json.dumps(event)}" for event in events), "data: [DONE]"]
    gateway.content = "\n\n".join([*lines, "data: no JSON, and not read"]).encode()
    result = cli("chat", "smollm2", "who", "--stream")
    assert (result.code, result.out) == (0, "".join(pieces) + "\n")
    assert gateway.asked[0].body["stream"] is True


def test_a_stream_that_is_refused_is_a_refusal(cli: Cli, gateway: Edge) -> None:
    gateway.answers(503, {"error": {"message": "no capacity"}})
    result = cli("chat", "smollm2", "who", "--stream")
    assert result.code == 1
    assert "the platform answered 503: no capacity" in result.err


def test_a_gateway_that_does_not_answer_is_named(cli: Cli, gateway: Edge, state: Path) -> None:
    description = platform_json(state / "demo", port=1)
    (state / "demo/platform.json").write_text(json.dumps(description))
    result = cli("predict", "iris")
    assert result.code == 3
    assert "the gateway at 127.0.0.1:1 cannot be reached" in result.err
    assert gateway.asked == []


def test_somebody_elses_certificate_is_not_trusted(
    cli: Cli, gateway: Edge, state: Path, tmp_path: Path
) -> None:
    with edge(tmp_path) as other:
        description = platform_json(state / "demo", port=other.port)
        (state / "demo/platform.json").write_text(json.dumps(description))
        result = cli("predict", "iris")
        assert result.code == 3
        assert "certificate" in result.err.lower()
        assert other.asked == gateway.asked == []


def test_the_form_of_a_body_says_the_protocol() -> None:
    both = {"apis": ["v1", "v2"]}
    assert predict_path("m", both, {"instances": []}) == "/v1/models/m:predict"
    assert predict_path("m", both, {"inputs": []}) == "/v2/models/m/infer"
    assert predict_path("m", {"apis": ["v2"]}, {"instances": [], "inputs": []}).startswith("/v2/")
