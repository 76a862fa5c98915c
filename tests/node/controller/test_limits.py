# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits of tenants and keys, counted by Envoy's rate limit service for all Envoys together."""

from __future__ import annotations

import copy
import dataclasses
import time
import typing as t

import httpx2
import openai
import pytest

from tests.behaviour.client import Caller, bearer, openai_client
from tests.behaviour.keys import Keys
from tests.behaviour.platform_json import Model, Platform
from tests.node import machine
from tests.node.own_node import OwnNode
from tests.node.traffic import wait_until

_REQUESTS, _TOKENS, _MONTH, _KEY = 6, 150, 200, 4
_LIMITS = {
    "tenant-a": {"tokens_per_month": _MONTH},
    "tenant-b": {"requests_per_minute": _REQUESTS},
    "tenant-c": {"tokens_per_minute": _TOKENS},
}
_MOST_TRIES = 60

pytestmark = [machine.needed, pytest.mark.proves("L4", "tier1", "tier1-ai")]


@pytest.fixture(scope="module", autouse=True)
def limited(installed: OwnNode) -> t.Iterator[None]:
    """The same tenants, with limits that a test can reach."""
    variables = copy.deepcopy(dict(installed.variables))
    for tenant in variables["tenants"]:
        tenant["limits"] = _LIMITS[tenant["name"]]
    dataclasses.replace(installed, variables=variables).play("site.yml")
    yield
    installed.play("site.yml")


@dataclasses.dataclass(frozen=True)
class Spent:
    """What was answered until a limit was reached.

    Attributes:
        answered: The answers.
        refusal: The first refusal.
    """

    answered: list[httpx2.Response]
    refusal: httpx2.Response

    @property
    def tokens(self) -> int:
        """How many tokens a language model says that it used for them."""
        return sum(one.json()["usage"]["total_tokens"] for one in self.answered)


def spend(platform: Platform, model: Model, *credential: tuple[str, str]) -> Spent:
    """Ask until a limit is reached, by a new connection each time, so that each Envoy is asked."""
    answered: list[httpx2.Response] = []
    for _ in range(_MOST_TRIES):
        with Caller(platform) as caller:
            answer = caller.post(
                model.example_path, dict(model.example_body), headers=credential, patient=False
            )
        if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            return Spent(answered, answer)
        assert answer.status_code == httpx2.codes.OK, answer.text
        answered.append(answer)
    raise AssertionError(f"no limit was reached: {answered[-1].headers}")


def test_requests_of_a_tenant_are_limited_over_all_its_models(
    platform: Platform, tokens: dict[str, str]
) -> None:
    wine, owner = platform.models["wine"], bearer(tokens["tenant-b"])
    # `up` has just asked every model, on account of a tenant of it: whoever counts begins with a minute that nobody has used.
    time.sleep(int(spend(platform, wine, owner).refusal.headers["retry-after"]) + 1)
    spent = spend(platform, wine, owner)
    # The minute may have ended in between.
    assert _REQUESTS <= len(spent.answered) <= 2 * _REQUESTS
    headers = spent.refusal.headers
    assert headers["x-ratelimit-limit"] == f"{_REQUESTS}, {_REQUESTS};w=60"
    assert headers["x-ratelimit-remaining"] == "0"
    assert 0 <= int(headers["retry-after"]) <= 60
    assert int(spent.answered[0].headers["x-ratelimit-remaining"]) == _REQUESTS - 1
    # One bucket for all routes; another tenant has its own.
    iris = platform.models["iris"]
    with Caller(platform, tokens["tenant-a"]) as other:
        assert other.post(iris.example_path, dict(iris.example_body)).is_success
    more = spend(platform, iris, owner)
    assert len(more.answered) <= _REQUESTS


def test_who_was_refused_is_answered_after_the_time_that_was_told(
    platform: Platform, tokens: dict[str, str]
) -> None:
    wine = platform.models["wine"]
    spend(platform, wine, bearer(tokens["tenant-b"]))
    # A patient caller waits as long as it is told, once or as often as it is told so.
    with Caller(platform, tokens["tenant-b"]) as caller:
        assert caller.post(wine.example_path, dict(wine.example_body)).is_success


def test_tokens_are_charged_as_the_model_reports_them(
    platform: Platform, tokens: dict[str, str]
) -> None:
    spent = spend(platform, platform.models["smollm2"], bearer(tokens["tenant-c"]))
    assert spent.tokens >= _TOKENS
    # Another tenant's tokens at the same model are its own.
    assert spent.refusal.headers["x-ratelimit-limit"] == f"{_TOKENS}, {_TOKENS};w=60"


def test_tokens_of_a_stream_are_charged_though_the_caller_does_not_ask_for_their_number(
    platform: Platform, tokens: dict[str, str]
) -> None:
    client = openai_client(platform, tokens["tenant-c"])

    def read_streams() -> None:
        for _ in range(_MOST_TRIES):
            stream = client.chat.completions.create(
                model="smollm2",
                messages=[{"role": "user", "content": "Count to ten."}],
                max_tokens=10,
                stream=True,
            )
            assert list(stream)

    with pytest.raises(openai.RateLimitError):
        read_streams()


def test_a_key_has_a_limit_and_an_end_of_its_own(
    platform: Platform, tokens: dict[str, str]
) -> None:
    keys, iris = Keys(platform), platform.models["iris"]
    key = keys.create("tenant-a", requests_per_minute=_KEY)
    credential = ("x-api-key", key.secret)

    def status() -> int:
        with Caller(platform) as caller:
            body = dict(iris.example_body)
            return caller.post(
                iris.example_path, body, headers=[credential], patient=False
            ).status_code

    try:
        wait_until(lambda: status() == httpx2.codes.OK, "a new key is not answered")
        spent = spend(platform, iris, credential)
        # One was spent before; the minute may have ended in between.
        assert _KEY - 1 <= len(spent.answered) <= 2 * _KEY
        # The limit that is nearest, and then all of them.
        nearest, *every = spent.refusal.headers["x-ratelimit-limit"].split(", ")
        assert nearest == str(_KEY)
        assert f"{_KEY};w=60" in every
        with Caller(platform, tokens["tenant-a"]) as owner:
            assert owner.post(iris.example_path, dict(iris.example_body)).is_success
    finally:
        keys.revoke_all()
    # A revoked key may be known, and may do nothing.
    wait_until(lambda: status() in (401, 404), "a revoked key is still answered")


def test_a_months_tokens_are_a_limit_of_their_own(
    platform: Platform, tokens: dict[str, str]
) -> None:
    """The last test, because nothing brings them back."""
    spent = spend(platform, platform.models["smollm2"], bearer(tokens["tenant-a"]))
    assert spent.tokens >= _MONTH
    assert spent.refusal.headers["x-ratelimit-limit"] == f"{_MONTH}, {_MONTH};w=2592000"
    # Who has none left is refused every request.
    iris = platform.models["iris"]
    with Caller(platform, tokens["tenant-a"]) as caller:
        answer = caller.post(iris.example_path, dict(iris.example_body), patient=False)
    assert answer.status_code == httpx2.codes.TOO_MANY_REQUESTS
