# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The official openai client works as with any provider."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import typing as t

import openai
import pytest

if t.TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

from .client import Caller, async_openai_client, openai_client
from .errors import check_error
from .platform_json import Model, Platform
from .requests_table import NONEXISTENT

_QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "Count from one to five."}
]


_API_OF = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/embeddings": "embeddings",
    "/v1/responses": "responses",
    "/anthropic/v1/messages": "messages",
}


@pytest.fixture(scope="module")
def pair(platform: Platform) -> tuple[str, Model]:
    """A tenant and a model that it may chat with."""
    pairs = platform.pairs("chat")
    if not pairs:
        pytest.skip("no model of this platform can chat")
    return pairs[0]


@pytest.fixture(scope="module")
def model(pair: tuple[str, Model]) -> str:
    """The model's name."""
    return pair[1].name


@pytest.fixture(scope="module", params=[False, True], ids=["http1", "http2"])
def client(
    request: pytest.FixtureRequest,
    platform: Platform,
    tokens: dict[str, str],
    pair: tuple[str, Model],
) -> openai.OpenAI:
    """The official client of that tenant, over both versions of HTTP."""
    return openai_client(platform, tokens[pair[0]], http2=request.param)


def test_models_list(client: openai.OpenAI, platform: Platform, pair: tuple[str, Model]) -> None:
    listed = list(client.models.list())
    assert {model.id for model in listed} == platform.tenants[pair[0]]
    assert all(model.owned_by for model in listed)


def test_models_retrieve(client: openai.OpenAI, model: str) -> None:
    assert client.models.retrieve(model).id == model


def test_retrieve_of_what_does_not_exist(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve(NONEXISTENT)
    assert caught.value.code == "model_not_found"
    assert caught.value.request_id


def test_chat(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=_QUESTION, max_tokens=16)
    assert answer.object == "chat.completion"
    assert answer.model == model
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.usage
    assert 0 < answer.usage.completion_tokens <= 16
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_chat_is_repeatable_at_temperature_zero(client: openai.OpenAI, model: str) -> None:
    texts = {
        client.chat.completions.create(
            model=model, messages=_QUESTION, max_tokens=12, temperature=0, seed=1
        )
        .choices[0]
        .message.content
        for _ in range(2)
    }
    assert len(texts) == 1


def test_streaming_comes_in_order_and_ends_with_usage(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model,
        messages=_QUESTION,
        max_tokens=24,
        temperature=0,
        seed=1,
        stream=True,
        stream_options={"include_usage": True},
    )
    text: list[str] = []
    finish: list[str] = []
    answer_ids: set[str] = set()
    usage = None
    for chunk in stream:
        answer_ids.add(chunk.id)
        if chunk.choices:
            assert usage is None, "usage came before the last token"
            assert not finish, "a token came after the end"
            text.append(chunk.choices[0].delta.content or "")
            if chunk.choices[0].finish_reason:
                finish.append(chunk.choices[0].finish_reason)
        elif chunk.usage:
            usage = chunk.usage
    assert len(finish) == 1
    assert len(answer_ids) == 1
    assert usage is not None
    assert 0 < usage.completion_tokens <= 24
    whole = client.chat.completions.create(
        model=model, messages=_QUESTION, max_tokens=24, temperature=0, seed=1
    )
    assert "".join(text) == whole.choices[0].message.content


def test_streaming_is_not_held_back(client: openai.OpenAI, model: str) -> None:
    with client.chat.completions.with_streaming_response.create(
        model=model, messages=_QUESTION, max_tokens=64, temperature=0, stream=True
    ) as answer:
        # A piece is what a gateway sent on at once: HTTP's own chunk or frame, however late it is
        # read. Held back, all events would come in one, as large as the gateway's buffer.
        pieces = list(answer.iter_bytes())
    events = sum(piece.count(b"data: ") for piece in pieces)
    assert events > 4
    assert len(pieces) > 4


def test_a_stream_that_is_dropped_hurts_nobody(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model, messages=_QUESTION, max_tokens=256, stream=True
    )
    next(iter(stream))
    stream.close()
    answer = client.chat.completions.create(model=model, messages=_QUESTION, max_tokens=2)
    assert answer.choices[0].message.content is not None


def test_completions(client: openai.OpenAI, model: str, pair: tuple[str, Model]) -> None:
    if "completions" not in pair[1].apis:
        pytest.skip("this model does not serve completions")
    answer = client.completions.create(model=model, prompt="One, two,", max_tokens=8)
    assert answer.choices[0].text
    assert answer.usage
    assert 0 < answer.usage.completion_tokens <= 8


def test_a_wrong_key_is_an_authentication_error(platform: Platform) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        openai_client(platform, "wrong").models.list()
    assert caught.value.code
    assert caught.value.request_id


def test_a_model_that_does_not_exist_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model=NONEXISTENT, messages=_QUESTION)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


def test_what_the_model_refuses_is_a_bad_request(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.post(
            "/chat/completions",
            body={"model": model, "messages": "not a list"},
            cast_to=object,
        )
    assert caught.value.code == "invalid_request_error"
    assert caught.value.param is None


_LONG = "word " * 20_000


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/chat/completions", {}, None),
        ("/v1/chat/completions", {"messages": "text"}, None),
        ("/v1/chat/completions", {"messages": _QUESTION, "max_tokens": "many"}, None),
        ("/v1/chat/completions", {"messages": _QUESTION, "n": 0}, None),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": _LONG}]},
            "context_length_exceeded",
        ),
        ("/v1/completions", {}, None),
        ("/v1/completions", {"prompt": _LONG}, "context_length_exceeded"),
        ("/v1/embeddings", {}, None),
        ("/v1/embeddings", {"input": ""}, None),
        ("/v1/responses", {}, None),
        ("/v1/responses", {"input": "Hi", "previous_response_id": "none"}, None),
        ("/anthropic/v1/messages", {"messages": _QUESTION, "max_tokens": "many"}, None),
        ("/anthropic/v1/messages", {"messages": [{"role": "user", "content": _LONG}]}, None),
    ],
)
def test_a_models_own_refusal_has_the_form_of_its_protocol(
    platform: Platform,
    callers: dict[str, Caller],
    path: str,
    body: dict[str, object],
    code: str | None,
) -> None:
    pairs = platform.pairs(_API_OF[path])
    if not pairs:
        pytest.skip(f"no model of this platform serves {path}")
    tenant, model = pairs[0]
    answer = callers[tenant].post(path, {"model": model.name, **body})
    check_error(answer, path, 400, code=code)


def test_a_models_own_failure_has_the_form_of_its_protocol(
    platform: Platform, callers: dict[str, Caller]
) -> None:
    body = {"messages": [{"content": "no role"}]}
    for path, api in _API_OF.items():
        for tenant, model in platform.pairs(api):
            answer = callers[tenant].post(path, {"model": model.name, **body})
            if answer.status_code >= 400:
                check_error(answer, path, answer.status_code)


def test_one_callers_bad_requests_take_the_model_from_nobody(
    callers: dict[str, Caller], pair: tuple[str, Model]
) -> None:
    tenant, model = pair
    wrong = {"model": model.name, "messages": [{"content": "no role"}]}
    for _ in range(25):
        assert callers[tenant].post("/v1/chat/completions", wrong).status_code >= 400
    right = {"model": model.name, "messages": _QUESTION, "max_tokens": 1}
    for caller in (callers[tenant], *callers.values()):
        answer = caller.post("/v1/chat/completions", right)
        assert answer.status_code in {200, 404}, answer.text
    assert callers[tenant].post("/v1/chat/completions", right).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"model": null}',
        b'{"model": 1}',
        b'{"model": true}',
        b'{"model": {"model": "a"}}',
        b'{"model": ""}',
        b'{"model": ["a"]}',
        b'{"messages": []}',
        b"\xff\xfe",
        b"{'model': 'x'}",
        b'{"model": "x",}',
    ],
)
def test_a_body_that_names_no_model_is_a_bad_request(
    callers: dict[str, Caller], pair: tuple[str, Model], content: bytes
) -> None:
    answer = callers[pair[0]].send("POST", "/v1/chat/completions", content=content)
    check_error(answer, "/v1/chat/completions", 400)


def test_the_body_names_the_model_and_no_header_does(
    platform: Platform, callers: dict[str, Caller], pair: tuple[str, Model]
) -> None:
    tenant, model = pair
    body = {"model": model.name, "messages": _QUESTION, "max_tokens": 2}
    for name in (*platform.models, NONEXISTENT):
        headers = [("x-ai-eg-model", name), ("x-model", name)]
        answer = callers[tenant].post("/v1/chat/completions", body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == model.name
        wrong = {**body, "model": NONEXISTENT}
        assert (
            callers[tenant].post("/v1/chat/completions", wrong, headers=headers).status_code == 404
        )


def test_a_model_without_chat_does_not_chat(platform: Platform, callers: dict[str, Caller]) -> None:
    for tenant, caller in callers.items():
        for model in platform.usable_by(tenant):
            if "chat" not in model.apis:
                body = {"model": model.name, "messages": _QUESTION}
                answer = caller.post("/v1/chat/completions", body)
                assert answer.status_code in {400, 404}, answer.text


def test_anthropic_messages(platform: Platform, callers: dict[str, Caller]) -> None:
    pairs = platform.pairs("messages")
    if not pairs:
        pytest.skip("no model of this platform serves Anthropic's messages")
    for tenant, model in pairs:
        body = {"model": model.name, "max_tokens": 8, "messages": _QUESTION}
        answer = callers[tenant].post("/anthropic/v1/messages", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["type"] == "message"
        assert answer.json()["usage"]["output_tokens"] <= 8


def test_anthropic_messages_as_a_stream(platform: Platform, callers: dict[str, Caller]) -> None:
    pairs = platform.pairs("messages")
    if not pairs:
        pytest.skip("no model of this platform serves Anthropic's messages")
    tenant, model = pairs[0]
    body = {"model": model.name, "max_tokens": 8, "messages": _QUESTION, "stream": True}
    answer = callers[tenant].post("/anthropic/v1/messages", body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [
        line.removeprefix("event: ")
        for line in answer.text.splitlines()
        if line.startswith("event: ")
    ]
    assert events[0] == "message_start"
    assert events[-1] == "message_stop"
    assert "content_block_delta" in events


def test_embeddings(platform: Platform, tokens: dict[str, str], callers: dict[str, Caller]) -> None:
    pairs = platform.pairs("embeddings")
    if not pairs:
        pytest.skip("no model of this platform serves embeddings")
    for tenant, model in pairs:
        with openai_client(platform, tokens[tenant]) as client:
            texts = ["The cat sits on the mat.", "A cat sat on a mat.", "Interest rates rose."]
            answer = client.embeddings.create(model=model.name, input=texts)
        assert [one.index for one in answer.data] == [0, 1, 2]
        vectors = [one.embedding for one in answer.data]
        assert len({len(vector) for vector in vectors}) == 1
        assert _cosine(vectors[0], vectors[1]) > _cosine(vectors[0], vectors[2])
        # What the client asked for, base64, and plain numbers are the same vectors.
        body = {"model": model.name, "input": texts[0], "encoding_format": "float"}
        plain = callers[tenant].post("/v1/embeddings", body).json()["data"][0]["embedding"]
        assert plain == pytest.approx(vectors[0], abs=1e-3)


def _cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (
        math.hypot(*one) * math.hypot(*other)
    )


def test_responses(platform: Platform, tokens: dict[str, str]) -> None:
    pairs = platform.pairs("responses")
    if not pairs:
        pytest.skip("no model of this platform serves responses")
    tenant, model = pairs[0]
    with openai_client(platform, tokens[tenant]) as client:
        answer = client.responses.create(model=model.name, input="Hi", max_output_tokens=8)
        assert answer.output_text
        stream = client.responses.create(
            model=model.name, input="Hi", max_output_tokens=8, stream=True
        )
        events = [event.type for event in stream]
    assert events[0] == "response.created"
    assert events[-1] == "response.completed"
    assert "response.output_text.delta" in events


def test_several_choices_a_stop_word_and_probabilities(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model, messages=_QUESTION, max_tokens=4, n=2, logprobs=True, top_logprobs=2
    )
    assert [choice.index for choice in answer.choices] == [0, 1]
    for choice in answer.choices:
        assert choice.logprobs
        assert choice.logprobs.content
        assert all(len(token.top_logprobs) == 2 for token in choice.logprobs.content)
    whole = client.chat.completions.create(
        model=model, messages=_QUESTION, max_tokens=12, temperature=0, seed=1
    )
    text = whole.choices[0].message.content or ""
    word = text.split()[1]
    stopped = client.chat.completions.create(
        model=model, messages=_QUESTION, max_tokens=12, temperature=0, seed=1, stop=[word]
    )
    assert stopped.choices[0].finish_reason == "stop"
    assert word not in (stopped.choices[0].message.content or "")


def test_the_asynchronous_client(
    platform: Platform, tokens: dict[str, str], pair: tuple[str, Model]
) -> None:
    tenant, model = pair

    async def ask() -> list[str]:
        async with async_openai_client(platform, tokens[tenant]) as client:
            stream = await client.chat.completions.create(
                model=model.name, messages=_QUESTION, max_tokens=4, stream=True
            )
            return [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]

    assert "".join(asyncio.run(ask()))


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_who_hangs_up_stops_the_work(
    platform: Platform, tokens: dict[str, str], pair: tuple[str, Model], http2: bool
) -> None:
    tenant, model = pair
    # Left alone, these would keep every place of the model busy for minutes.
    for _ in range(5):
        # The client sends no end of a single HTTP/2 stream, only of the connection.
        with openai_client(platform, tokens[tenant], http2=http2) as gone:
            stream = gone.chat.completions.create(
                model=model.name,
                messages=[{"role": "user", "content": "Write a novel about a gateway."}],
                max_tokens=3000,
                stream=True,
                extra_body={"ignore_eos": True},
            )
            next(iter(stream))
    with openai_client(platform, tokens[tenant], http2=http2) as client:
        answer = client.chat.completions.create(model=model.name, messages=_QUESTION, max_tokens=2)
    assert answer.usage
    assert answer.usage.completion_tokens <= 2


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "Application/JSON",
        "",
    ],
)
def test_json_by_any_of_its_names(
    callers: dict[str, Caller], pair: tuple[str, Model], content_type: str
) -> None:
    tenant, model = pair
    body = {"model": model.name, "messages": _QUESTION, "max_tokens": 1}
    answer = callers[tenant].post(
        "/v1/chat/completions", body, headers=[("content-type", content_type)]
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity", "x"])
def test_an_encoded_body_is_refused_everywhere_alike(
    callers: dict[str, Caller], pair: tuple[str, Model], encoding: str
) -> None:
    tenant, model = pair
    content = gzip.compress(json.dumps({"model": model.name, "messages": _QUESTION}).encode())
    for path in (*_API_OF, f"/v1/models/{NONEXISTENT}:predict", f"/v2/models/{model.name}/infer"):
        answer = callers[tenant].send(
            "POST", path, content=content, headers=[("content-encoding", encoding)]
        )
        check_error(answer, path, 415)


def test_examples_answer(platform: Platform, callers: dict[str, Caller]) -> None:
    for tenant, caller in callers.items():
        for model in platform.usable_by(tenant):
            answer = caller.post(model.example_path, model.example_body)
            assert answer.status_code == 200, answer.text
