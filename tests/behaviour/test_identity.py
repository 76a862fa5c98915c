# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Without a good identity every path refuses, in the words of its protocol."""

from __future__ import annotations

import pytest

from .client import Caller, bearer
from .errors import check_error
from .platform_json import Platform
from .requests_table import asks, spoofed_headers


def test_every_request_without_identity_is_refused_in_its_protocol(
    platform: Platform, nobody: Caller
) -> None:
    for model in platform.models.values():
        for ask in asks(model):
            answer = nobody.send(ask.method, ask.path, body=ask.body)
            check_error(answer, ask.path, 401)


def test_spoofed_headers_are_no_identity(platform: Platform, nobody: Caller) -> None:
    for model in platform.models.values():
        for spoof in spoofed_headers(platform, model.owner, model).values():
            for ask in asks(model):
                answer = nobody.send(ask.method, ask.path, body=ask.body, headers=spoof)
                check_error(answer, ask.path, 401)


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/v1/models", "/v1/models/iris:predict", "/anthropic/v1/messages"],
)
def test_a_wrong_token_is_refused_in_the_words_of_its_protocol(nobody: Caller, path: str) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    answer = nobody.send(method, path, headers=[bearer("wrong")])
    check_error(answer, path, 401)


def test_refusal_says_what_would_be_right(nobody: Caller) -> None:
    body = check_error(nobody.get("/v1/models"), "/v1/models", 401)
    assert "Bearer" in body["error"]["message"]


def test_a_refusal_does_not_tell_which_models_exist(platform: Platform, nobody: Caller) -> None:
    name = next(iter(platform.models))
    real = nobody.post(f"/v1/models/{name}:predict", {})
    unreal = nobody.post(f"/v1/models/{'x' * len(name)}:predict", {})
    assert real.content == unreal.content


def test_every_answer_has_a_request_id_of_its_own(
    platform: Platform, callers: dict[str, Caller], nobody: Caller
) -> None:
    caller = callers[min(callers)]
    answers = [
        nobody.get("/healthz"),
        nobody.get("/v1/models"),
        caller.get("/v1/models"),
        caller.get("/v1/models/nonexistent-model"),
        caller.get("/no/such/path"),
        caller.post("/v1/chat/completions", {}),
        *(
            callers[tenant].post(model.example_path, model.example_body)
            for tenant, model in platform.pairs("v1")
        ),
    ]
    ids = [answer.headers.get("x-request-id", "") for answer in answers]
    assert all(ids), [(a.request.url.path, a.status_code) for a in answers]
    assert len(set(ids)) == len(ids)
