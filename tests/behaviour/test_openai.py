# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The official openai client works as with any provider."""

from __future__ import annotations

import time
import typing as t

import openai
import pytest

if t.TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

from .client import Caller, openai_client
from .platform_json import Model, Platform
from .requests_table import NONEXISTENT

_QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "Count from one to five."}
]


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
    stream = client.chat.completions.create(
        model=model, messages=_QUESTION, max_tokens=64, temperature=0, stream=True
    )
    arrived = [time.monotonic() for chunk in stream if chunk.choices]
    assert len(arrived) > 4
    # Held back, all would arrive at once at the end.
    assert arrived[-1] - arrived[0] > 0.05


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
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]


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
    assert answer.status_code in {400, 404}, answer.text
    assert answer.status_code == 400 or content == b'{"model": ""}', answer.text
    assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}


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


def test_examples_answer(platform: Platform, callers: dict[str, Caller]) -> None:
    for tenant, caller in callers.items():
        for model in platform.usable_by(tenant):
            answer = caller.post(model.example_path, model.example_body)
            assert answer.status_code == 200, answer.text
