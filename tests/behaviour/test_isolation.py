# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every tenant x model x path x spoofed header.

A tenant reaches what it may use, and cannot tell whether anything else exists.
"""

from __future__ import annotations

import json
import typing as t

import httpx2
import pytest

from .client import Caller
from .errors import MODEL_NOT_FOUND, check_error
from .platform_json import Model, Platform
from .requests_table import NONEXISTENT, Ask, allowed_asks, asks, spoofed_headers

# Differ between any two answers, whatever was asked.
_VOLATILE = {"x-request-id", "date", "x-envoy-upstream-service-time"}


@pytest.fixture(scope="module")
def foreign(platform: Platform) -> list[tuple[str, Model]]:
    """Each tenant with each model that exists and is not for it."""
    pairs = [(x, model) for x in sorted(platform.tenants) for model in platform.hidden_from(x)]
    if not pairs:
        pytest.skip("every tenant of this platform may use every model")
    return pairs


def test_a_tenant_reaches_its_models_whoever_it_claims_to_be(
    platform: Platform, callers: dict[str, Caller], subtests: pytest.Subtests
) -> None:
    for tenant, caller in callers.items():
        for model in platform.usable_by(tenant):
            for label, spoof in _spoofs(platform, tenant, model).items():
                for ask in allowed_asks(model):
                    with subtests.test(f"{tenant} {ask.label} {model.name}", spoof=label):
                        answer = caller.send(ask.method, ask.path, body=ask.body, headers=spoof)
                        assert answer.status_code == 200, answer.text


def test_a_foreign_model_is_not_found_whoever_the_caller_claims_to_be(
    platform: Platform,
    callers: dict[str, Caller],
    foreign: list[tuple[str, Model]],
    subtests: pytest.Subtests,
) -> None:
    for tenant, model in foreign:
        for label, spoof in _spoofs(platform, tenant, model).items():
            for ask in asks(model):
                with subtests.test(f"{tenant} {ask.label} {model.name}", spoof=label):
                    answer = callers[tenant].send(
                        ask.method, ask.path, body=ask.body, headers=spoof
                    )
                    check_error(answer, ask.path, 404, code=MODEL_NOT_FOUND)


def test_a_foreign_model_looks_exactly_like_none(
    callers: dict[str, Caller], foreign: list[tuple[str, Model]], subtests: pytest.Subtests
) -> None:
    for tenant, model in foreign:
        for real, unreal in zip(asks(model), asks(model, name=NONEXISTENT), strict=True):
            with subtests.test(f"{tenant} {real.label} {model.name}"):
                one = _send(callers[tenant], real)
                other = _send(callers[tenant], unreal)
                assert _comparable(one, model.name) == _comparable(other, NONEXISTENT)


def test_the_list_of_models_is_exactly_what_the_caller_may_use(
    platform: Platform, callers: dict[str, Caller]
) -> None:
    for tenant, caller in callers.items():
        answer = caller.get("/v1/models")
        assert answer.status_code == 200
        listed = answer.json()
        assert listed["object"] == "list"
        assert {model["id"] for model in listed["data"]} == platform.tenants[tenant]
        assert all(model["object"] == "model" for model in listed["data"])
        hidden = {model.name for model in platform.hidden_from(tenant)}
        assert not [name for name in hidden if name in answer.text]


def test_the_list_of_models_ignores_what_the_caller_claims(
    platform: Platform, callers: dict[str, Caller], foreign: list[tuple[str, Model]]
) -> None:
    for tenant, model in foreign:
        plain = callers[tenant].get("/v1/models")
        for spoof in spoofed_headers(platform, model.owner, model).values():
            assert callers[tenant].get("/v1/models", headers=spoof).content == plain.content


def test_a_host_of_the_inside_reaches_nothing(
    platform: Platform, callers: dict[str, Caller], foreign: list[tuple[str, Model]]
) -> None:
    domain = platform.host.partition(".")[2]
    for tenant, model in foreign:
        for host in (f"{model.name}.{model.owner}.{domain}", f"{model.name}.{model.owner}", domain):
            for ask in asks(model):
                answer = callers[tenant].send(
                    ask.method, ask.path, body=ask.body, headers=[("host", host)]
                )
                assert 400 <= answer.status_code < 500, (host, answer.text)


@pytest.mark.parametrize(
    "form",
    [
        '{{"model": {own}, "model": {foreign}, {rest}}}',
        '{{"model": {foreign}, "model": {own}, {rest}}}',
        '{{"model": {own}, "mod\\u0065l": {foreign}, {rest}}}',
        '{{"mod\\u0065l": {foreign}, {rest}}}',
        '{{"Model": {own}, "model": {foreign}, {rest}}}',
        '{{"model": [{own}, {foreign}], {rest}}}',
        '{{"model": {{"id": {foreign}}}, {rest}}}',
        '{{"model": "x/{foreign_bare}", {rest}}}',
        '{{"model": " {foreign_bare}", {rest}}}',
        '{{"model": "{foreign_bare}\\u0000", {rest}}}',
        '{{"model": "{owner}/{foreign_bare}", {rest}}}',
        '{{"extra_body": {{"model": {foreign}}}, {rest}}}',
        '[{{"model": {foreign}, {rest}}}]',
        '\ufeff{{"model": {foreign}, {rest}}}',
        '{{"model": {own}, {rest}}}{{"model": {foreign}, {rest}}}',
    ],
)
def test_no_form_of_a_body_reaches_a_foreign_model(
    platform: Platform, callers: dict[str, Caller], foreign: list[tuple[str, Model]], form: str
) -> None:
    rest = '"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, "input": "Hi"'
    tried = 0
    for tenant, model in foreign:
        if not model.is_llm:
            continue
        tried += 1
        body = form.format(
            own=json.dumps(min(platform.tenants[tenant], default="none")),
            foreign=json.dumps(model.name),
            foreign_bare=model.name,
            owner=model.owner,
            rest=rest,
        )
        for path in ("/v1/chat/completions", "/anthropic/v1/messages"):
            answer = callers[tenant].send("POST", path, content=body.encode())
            assert answer.status_code in {400, 404}, answer.text
            check_error(answer, path, answer.status_code)
    if not tried:
        pytest.skip("every tenant may use every LLM")


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", "text/plain")],
        [("content-type", "application/x-www-form-urlencoded")],
        [("content-type", "multipart/form-data; boundary=x")],
        [("content-type", "application/json; charset=utf-16")],
        [("content-encoding", "gzip")],
        [("x-model", "{own}")],
        [("x-ai-eg-model", "{own}")],
    ],
)
def test_no_kind_of_content_reaches_a_foreign_model(
    platform: Platform,
    callers: dict[str, Caller],
    foreign: list[tuple[str, Model]],
    headers: list[tuple[str, str]],
) -> None:
    for tenant, model in foreign:
        own = min(platform.tenants[tenant], default="none")
        sent = [(name, value.format(own=own)) for name, value in headers]
        for ask in asks(model):
            if ask.body is None:
                continue
            answer = callers[tenant].send(ask.method, ask.path, body=ask.body, headers=sent)
            assert answer.status_code in {400, 404, 415}, answer.text


def test_a_query_names_no_model(
    callers: dict[str, Caller], foreign: list[tuple[str, Model]]
) -> None:
    for tenant, model in foreign:
        for ask in asks(model):
            path = f"{ask.path}?model={model.name}&x-tenant-id={model.owner}"
            answer = callers[tenant].send(ask.method, path, body=ask.body)
            check_error(answer, path, 404)


def _spoofs(platform: Platform, tenant: str, model: Model) -> dict[str, list[tuple[str, str]]]:
    """Claims to be each other tenant, and to mean each of the platform's models."""
    other = next((x for x in sorted(platform.tenants) if x != tenant), tenant)
    victim = tenant if model.owner == tenant else model.owner
    return spoofed_headers(platform, victim if victim != tenant else other, model)


def _send(caller: Caller, ask: Ask) -> httpx2.Response:
    return caller.send(ask.method, ask.path, body=ask.body)


def _comparable(answer: httpx2.Response, name: str) -> tuple[t.Any, ...]:
    """An answer without what differs between any two, and with the name that was asked taken out."""
    headers = [
        (key, value)
        for key, value in answer.headers.multi_items()
        if key not in _VOLATILE and not key.startswith("x-ratelimit-") and key != "content-length"
    ]
    return answer.status_code, headers, answer.content.replace(name.encode(), b"MODEL")
