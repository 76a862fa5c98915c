# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many callers at once: each gets its own answer."""

from __future__ import annotations

import itertools
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import http2_client
from .client import Caller, bearer, openai_client
from .platform_json import Platform

_WORKERS = 16
_EACH = 12
_STREAMS = 4


def test_mixed_callers_get_their_own_answers(
    platform: Platform, callers: dict[str, Caller]
) -> None:
    pairs = [(tenant, model) for tenant in callers for model in platform.usable_by(tenant)]
    work = list(itertools.islice(itertools.cycle(pairs), _WORKERS * _EACH))
    alone = {
        model.name: callers[tenant].post(model.example_path, model.example_body)
        for tenant, model in pairs
        if not model.is_llm
    }

    def ask(pair: tuple[str, t.Any]) -> None:
        tenant, model = pair
        short = {"max_tokens": 2} if model.is_llm else {}
        answer = callers[tenant].post(model.example_path, {**model.example_body, **short})
        assert answer.status_code == 200, answer.text
        if model.name in alone:
            assert answer.json() == alone[model.name].json()
        else:
            assert answer.json()["model"] == model.name

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(ask, work))


def test_lists_of_models_never_mix(platform: Platform, callers: dict[str, Caller]) -> None:
    def ask(tenant: str) -> None:
        listed = callers[tenant].get("/v1/models").json()
        assert {model["id"] for model in listed["data"]} == platform.tenants[tenant]

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(ask, list(callers) * 50))


def test_rows_of_concurrent_requests_never_mix(
    platform: Platform, callers: dict[str, Caller]
) -> None:
    pairs = [(tenant, model) for tenant, model in platform.pairs("v1") if model.name == "iris"]
    if not pairs:
        pytest.skip("this platform serves no iris classifier")
    tenant, model = pairs[0]
    rows = [[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 4.2, 1.3], [6.7, 3.1, 5.6, 2.4]]

    def ask(number: int) -> None:
        order = [(number + i) % 3 for i in range(number % 7 + 1)]
        body = {"instances": [rows[i] for i in order]}
        answer = callers[tenant].post(f"/v1/models/{model.name}:predict", body)
        assert answer.json()["predictions"] == order

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(ask, range(150)))


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_streams_run_side_by_side(platform: Platform, tokens: dict[str, str], http2: bool) -> None:
    pairs = platform.pairs("chat")
    if not pairs:
        pytest.skip("no model of this platform can chat")

    def stream(number: int) -> str:
        tenant, model = pairs[number % len(pairs)]
        chunks = openai_client(platform, tokens[tenant], http2=http2).chat.completions.create(
            model=model.name,
            messages=[{"role": "user", "content": "Count from one to five."}],
            max_tokens=16,
            temperature=0,
            seed=1,
            stream=True,
        )
        return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    with ThreadPoolExecutor(_STREAMS) as pool:
        texts = list(pool.map(stream, range(_STREAMS)))
    assert all(texts)


def test_many_requests_share_one_http2_connection(
    platform: Platform, tokens: dict[str, str]
) -> None:
    tenant = min(tokens)
    answers = http2_client.get_many(platform, "/v1/models", [bearer(tokens[tenant])], 100)
    assert answers == [200] * 100
