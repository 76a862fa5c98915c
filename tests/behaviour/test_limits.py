# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests per minute: refused in good form, told which limit, and nobody else feels it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

import httpx2
import pytest

from .client import Caller
from .errors import check_error
from .keys import Key, Keys
from .platform_json import Platform

_PATH = "/v1/models"
_LIMIT = 5
_FLOOD = 30
_ANSWERED, _LIMITED = 200, 429


@dataclass(frozen=True, slots=True)
class Flood:
    """What a key with a small limit was told when it asked far too often."""

    key: Key
    tenant: str
    answers: list[httpx2.Response]
    seconds: float
    ended: float

    @property
    def refused(self) -> list[httpx2.Response]:
        """The answers that say: too many."""
        return [answer for answer in self.answers if answer.status_code == _LIMITED]

    @property
    def answered(self) -> list[httpx2.Response]:
        """The answers that were given."""
        return [answer for answer in self.answers if answer.status_code == _ANSWERED]


@pytest.fixture(scope="module")
def flood(platform: Platform, nobody: Caller) -> t.Iterator[Flood]:
    """One flood, judged by several tests."""
    keys = Keys(platform)
    tenant = min(platform.tenants)
    key = keys.create(tenant, requests_per_minute=_LIMIT)
    header = [("x-api-key", key.secret)]
    # A new key may take a moment; only requests that it identifies are counted against it.
    for _ in range(100):
        first = nobody.get(_PATH, headers=header, patient=False)
        if first.status_code != 401:
            break
        time.sleep(0.05)
    started = time.monotonic()
    answers = [first, *(nobody.get(_PATH, headers=header, patient=False) for _ in range(_FLOOD))]
    ended = time.monotonic()
    yield Flood(key, tenant, answers, ended - started, ended)
    keys.revoke_all()


def test_a_flood_is_answered_as_far_as_the_limit_goes(flood: Flood) -> None:
    assert {answer.status_code for answer in flood.answers} == {_ANSWERED, _LIMITED}
    # The minute of the limit may end within the flood: then two minutes' worth is right.
    minutes = 1 + int(flood.seconds // 60) + 1
    assert _LIMIT <= len(flood.answered) <= _LIMIT * minutes


def test_a_refusal_says_which_limit_and_when_to_come_back(flood: Flood) -> None:
    for answer in flood.refused:
        body = check_error(answer, _PATH, _LIMITED)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert body["error"]["type"] == "rate_limit_error"
        assert body["error"]["code"] == "rate_limit_exceeded"
        assert "requests per minute" in body["error"]["message"].lower()
        assert "key" in body["error"]["message"].lower()


def test_answers_count_down(flood: Flood) -> None:
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in flood.answered]
    assert all(
        answer.headers["x-ratelimit-limit"].split(",")[0] == str(_LIMIT)
        for answer in flood.answered
    )
    assert all(0 <= int(answer.headers["x-ratelimit-reset"]) <= 60 for answer in flood.answers)
    assert remaining[:_LIMIT] == sorted(remaining[:_LIMIT], reverse=True)
    assert all(answer.headers["x-ratelimit-remaining"] == "0" for answer in flood.refused)


def test_another_credential_of_the_tenant_goes_on(flood: Flood, callers: dict[str, Caller]) -> None:
    assert flood.refused
    assert callers[flood.tenant].get(_PATH).status_code == 200


def test_another_tenant_feels_nothing(
    flood: Flood, platform: Platform, nobody: Caller, callers: dict[str, Caller]
) -> None:
    header = [("x-api-key", flood.key.secret)]
    for tenant in sorted(platform.tenants):
        if tenant == flood.tenant:
            continue
        for model in platform.usable_by(tenant):
            for _ in range(3):
                nobody.get(_PATH, headers=header, patient=False)
                answer = callers[tenant].post(model.example_path, model.example_body, patient=False)
                assert answer.status_code == 200, answer.text


def test_a_limit_holds_on_every_path_in_its_protocol(
    flood: Flood, platform: Platform, nobody: Caller
) -> None:
    header = [("x-api-key", flood.key.secret)]
    _spend(nobody, header)
    for path in (
        "/v1/chat/completions",
        "/anthropic/v1/messages",
        *(f"/v1/models/{model.name}:predict" for model in platform.usable_by(flood.tenant)),
    ):
        check_error(
            nobody.post(path, {"model": "x"}, headers=header, patient=False), path, _LIMITED
        )


def test_no_header_and_no_form_of_the_path_avoids_a_limit(flood: Flood, nobody: Caller) -> None:
    header = [("x-api-key", flood.key.secret)]
    _spend(nobody, header)
    for spoof in ("x-forwarded-for", "x-real-ip", "x-tenant-id", "x-user-id", "x-ratelimit-limit"):
        answer = nobody.get(_PATH, headers=[*header, (spoof, "203.0.113.7")], patient=False)
        assert answer.status_code == _LIMITED
    answer = nobody.get(f"{_PATH}?again=1", headers=header, patient=False)
    assert answer.status_code == _LIMITED


def test_after_the_time_it_was_told_the_key_is_answered_again(flood: Flood, nobody: Caller) -> None:
    header = [("x-api-key", flood.key.secret)]
    _spend(nobody, header)
    refused = nobody.get(_PATH, headers=header, patient=False)
    time.sleep(int(refused.headers["retry-after"]))
    assert nobody.get(_PATH, headers=header, patient=False).status_code == _ANSWERED


def _spend(caller: Caller, header: list[tuple[str, str]]) -> None:
    """Uses up what a new minute may have brought since the flood."""
    for _ in range(_LIMIT + 1):
        answer = caller.get(_PATH, headers=header, patient=False)
    assert answer.status_code == _LIMITED
