# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP/2 as no proper client speaks it: malformed requests are refused, odd ones mean what they say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from . import http2_client
from .http2_attacks import MALFORMED, ODD, Fields, Row
from .platform_json import Model, Platform

Answers = dict[str, httpx2.Response]

_ALL = MALFORMED | ODD
_AT_ONCE = 24
# 0: the stream or the connection ended without an answer, which is how HTTP/2 refuses what is no request.
_REFUSED = {0, 400}
_NOT_SERVED = _REFUSED | {401, 403, 404, 405, 415, 421, 431, 501}


def _good(platform: Platform, model: Model, token: str | None) -> tuple[Fields, bytes]:
    """A request as it should be, and its body."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", platform.host.encode()),
        (b":path", model.example_path.encode()),
        (b"content-type", b"application/json"),
    ]
    if token is not None:
        fields.append((b"authorization", b"Bearer " + token.encode()))
    return fields, json.dumps(dict(model.example_body)).encode()


def _ask(platform: Platform, row: Row, model: Model, token: str | None) -> httpx2.Response:
    fields, body = _good(platform, model, token)
    return http2_client.send_raw(platform, row(fields), body)


def _ask_all(platform: Platform, model: Model, token: str | None) -> Answers:
    """The answer to each row. Side by side: what is no HTTP/2 gets none, and Envoy takes a second to hang up."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = pool.map(lambda name: _ask(platform, _ALL[name], model, token), _ALL)
        return dict(zip(_ALL, asked, strict=True))


@pytest.fixture(scope="module")
def usable(platform: Platform, tokens: dict[str, str]) -> tuple[str, Model]:
    """A token with a predictive model that it may use."""
    pairs = platform.pairs("v1")
    if not pairs:
        pytest.skip("no model of this platform speaks v1")
    tenant, model = pairs[0]
    return tokens[tenant], model


@pytest.fixture(scope="module")
def hidden(platform: Platform, tokens: dict[str, str]) -> tuple[str, Model]:
    """A token with a predictive model that it must not reach."""
    for tenant in sorted(platform.tenants):
        for model in platform.hidden_from(tenant):
            if "v1" in model.apis:
                return tokens[tenant], model
    pytest.skip("every tenant may use every predictive model")


@pytest.fixture(scope="module")
def to_usable(platform: Platform, usable: tuple[str, Model]) -> Answers:
    """The answer to each row, asked for a model that its caller may use."""
    token, model = usable
    return _ask_all(platform, model, token)


@pytest.fixture(scope="module")
def to_hidden(platform: Platform, hidden: tuple[str, Model]) -> Answers:
    """The answer to each row, asked for a model that its caller must not reach."""
    token, model = hidden
    return _ask_all(platform, model, token)


@pytest.fixture(scope="module")
def to_nobody(platform: Platform, usable: tuple[str, Model]) -> Answers:
    """The answer to each row, asked without any identity."""
    return _ask_all(platform, usable[1], None)


def test_the_request_that_the_rows_change_is_good(
    platform: Platform, usable: tuple[str, Model]
) -> None:
    answer = _ask(platform, lambda good: good, usable[1], usable[0])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_served_to_nobody(to_usable: Answers, name: str) -> None:
    answer = to_usable[name]
    assert answer.status_code in _REFUSED, (answer.status_code, answer.text)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_served_or_refused_in_good_form(to_usable: Answers, name: str) -> None:
    answer = to_usable[name]
    assert answer.status_code in _NOT_SERVED | {200}, (answer.status_code, answer.text)
    if answer.status_code != 0:
        assert answer.headers.get("x-request-id"), answer.headers


@pytest.mark.parametrize("name", _ALL)
def test_no_form_of_a_request_reaches_a_foreign_model(to_hidden: Answers, name: str) -> None:
    answer = to_hidden[name]
    assert answer.status_code in _NOT_SERVED, (answer.status_code, answer.text)
    assert b"predictions" not in answer.content


@pytest.mark.parametrize("name", _ALL)
def test_no_form_of_a_request_avoids_identity(to_nobody: Answers, name: str) -> None:
    answer = to_nobody[name]
    assert answer.status_code in _NOT_SERVED - {404}, (answer.status_code, answer.text)


def test_fields_of_the_inside_in_a_trailer_are_none(
    platform: Platform, hidden: tuple[str, Model]
) -> None:
    token, model = hidden
    for trailer in ((b":path", b"/healthz"), (b"x-tenant-id", model.owner.encode())):
        fields, body = _good(platform, model, token)
        answer = http2_client.send_raw(platform, fields, body, trailers=[trailer])
        assert answer.status_code in _NOT_SERVED, (trailer, answer.status_code, answer.text)
