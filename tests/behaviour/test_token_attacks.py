# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No hostile credential is accepted, and no good one refused."""

from __future__ import annotations

import os

import pytest

from .attacks import ISSUER_CONTROLS, ISSUER_ROWS, MALFORMED, ROWS, Presented, authorization
from .client import RawAnswer, bearer, fetch_token, raw_exchange, request_bytes
from .errors import check_error
from .forge import Forge, find_issuer_key
from .platform_json import Platform

_PATH = "/v1/models"
_LEAST_ROWS = 60


@pytest.fixture(scope="module")
def forge(platform: Platform) -> Forge:
    """A good token of one tenant, taken apart."""
    # The suite's own may be older than a rotation, after which their key is gone.
    good = fetch_token(platform, min(platform.tenants))
    keys = platform.home / "identity" if platform.target == "local" and platform.home else None
    if keys is None or not os.access(keys, os.R_OK | os.X_OK):
        return Forge(good, None)
    key = find_issuer_key(keys, good)
    assert key is not None, f"none of the keys in {keys} signed the platform's token"
    return Forge(good, key)


@pytest.fixture
def issuer(forge: Forge) -> Forge:
    """The same, where the platform's own key can be used."""
    if forge.issuer_key is None:
        pytest.skip("the issuer's key is not readable here")
    return forge


def _ask(platform: Platform, presented: Presented) -> RawAnswer:
    target = _PATH.encode() + presented.query
    return raw_exchange(platform, request_bytes(platform, "GET", target, presented.headers))


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= _LEAST_ROWS


@pytest.mark.parametrize("name", ROWS)
def test_hostile_credential_is_refused(platform: Platform, forge: Forge, name: str) -> None:
    answer = _ask(platform, ROWS[name](forge))
    if name in MALFORMED:
        # The request is no HTTP, so there may be no proper answer either; but never one that lets it in.
        assert answer.status in {0, 400, 401, 431}, answer
    else:
        check_error(answer, _PATH, 401)


@pytest.mark.parametrize("name", ISSUER_ROWS)
def test_wrong_claims_are_refused_though_signed_well(
    platform: Platform, issuer: Forge, name: str
) -> None:
    answer = _ask(platform, Presented([authorization(ISSUER_ROWS[name](issuer))]))
    check_error(answer, _PATH, 401)


@pytest.mark.parametrize("name", ISSUER_CONTROLS)
def test_right_claims_are_accepted(platform: Platform, issuer: Forge, name: str) -> None:
    answer = _ask(platform, Presented([authorization(ISSUER_CONTROLS[name](issuer))]))
    assert answer.status == 200, answer


def test_the_token_that_the_attacks_started_from_is_good(platform: Platform, forge: Forge) -> None:
    assert _ask(platform, Presented([authorization(forge.good)])).status == 200


def test_every_tenants_token_is_accepted(platform: Platform, tokens: dict[str, str]) -> None:
    for token in tokens.values():
        assert _ask(platform, Presented([authorization(token)])).status == 200


def test_a_hostile_token_reaches_no_model(platform: Platform, forge: Forge) -> None:
    for model in platform.models.values():
        headers = [
            (b"content-type", b"application/json"),
            authorization(forge.by_attacker(forge.header)),
        ]
        request = request_bytes(platform, "POST", model.example_path.encode(), headers, b"{}")
        check_error(raw_exchange(platform, request), model.example_path, 401)


def test_authorization_works_whatever_its_case(platform: Platform, forge: Forge) -> None:
    for name in (b"Authorization", b"AUTHORIZATION", b"authorization"):
        value = bearer(forge.good)[1].encode()
        assert _ask(platform, Presented([(name, value)])).status == 200
