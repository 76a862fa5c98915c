# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""API keys: shown once, usable in two headers, listed without secret, revoked and rotated without a gap."""

from __future__ import annotations

import time
import typing as t

import pytest

from .client import Caller, bearer, fetch_token
from .errors import check_error
from .keys import Key, Keys
from .platform_json import Platform

_PATH = "/v1/models"
# A changed key list is live when the gateway has read its new file.
_TAKES_EFFECT_SECONDS = 60.0


@pytest.fixture(scope="module")
def keys(platform: Platform) -> t.Iterator[Keys]:
    """The platform's keys; those that tests made are revoked at the end."""
    made = Keys(platform)
    yield made
    made.revoke_all()


@pytest.fixture(scope="module")
def tenant(platform: Platform) -> str:
    """A tenant with a model."""
    return min(name for name, models in platform.tenants.items() if models)


@pytest.fixture(scope="module")
def key(keys: Keys, tenant: str, nobody: Caller) -> Key:
    """A key of that tenant, in effect."""
    made = keys.create(tenant)
    _until(nobody, made, 200)
    return made


def _status(caller: Caller, key: Key) -> int:
    return caller.get(_PATH, headers=[("x-api-key", key.secret)]).status_code


def _until(caller: Caller, key: Key, status: int) -> None:
    deadline = time.monotonic() + _TAKES_EFFECT_SECONDS
    while _status(caller, key) != status:
        assert time.monotonic() < deadline, f"no {status} within {_TAKES_EFFECT_SECONDS} s"
        time.sleep(0.05)


def test_a_key_speaks_for_its_tenant_in_both_headers(
    platform: Platform, nobody: Caller, tenant: str, key: Key
) -> None:
    for header in (("x-api-key", key.secret), bearer(key.secret)):
        answer = nobody.get(_PATH, headers=[header])
        assert answer.status_code == 200, answer.text
        assert {model["id"] for model in answer.json()["data"]} == platform.tenants[tenant]


def test_a_key_asks_models(platform: Platform, nobody: Caller, tenant: str, key: Key) -> None:
    for model in platform.usable_by(tenant):
        answer = nobody.post(
            model.example_path, model.example_body, headers=[("x-api-key", key.secret)]
        )
        assert answer.status_code == 200, answer.text


def test_a_key_does_not_reach_foreign_models(
    platform: Platform, nobody: Caller, tenant: str, key: Key
) -> None:
    for model in platform.hidden_from(tenant):
        answer = nobody.post(
            model.example_path, model.example_body, headers=[("x-api-key", key.secret)]
        )
        check_error(answer, model.example_path, 404)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda secret: secret[:-6],
        lambda secret: secret[1:],
        lambda secret: secret + "x",
        lambda secret: secret.swapcase(),
        lambda secret: secret[::-1],
        lambda secret: secret[: len(secret) // 2],
        lambda _: ".",
        lambda _: "*",
    ],
)
def test_nearly_a_key_is_none(nobody: Caller, key: Key, spoil: t.Callable[[str], str]) -> None:
    for header in (("x-api-key", spoil(key.secret)), bearer(spoil(key.secret))):
        check_error(nobody.get(_PATH, headers=[header]), _PATH, 401)


def test_the_id_of_a_key_is_no_key(nobody: Caller, key: Key) -> None:
    for header in (("x-api-key", key.id), bearer(key.id)):
        check_error(nobody.get(_PATH, headers=[header]), _PATH, 401)


def test_two_credentials_are_refused(
    platform: Platform, nobody: Caller, tenant: str, key: Key
) -> None:
    token = fetch_token(platform, tenant)
    for headers in (
        [bearer(token), ("x-api-key", key.secret)],
        [bearer(key.secret), ("x-api-key", key.secret)],
        [("x-api-key", key.secret), ("x-api-key", key.secret)],
    ):
        check_error(nobody.get(_PATH, headers=headers), _PATH, 401)


def test_a_key_in_the_query_is_none(nobody: Caller, key: Key) -> None:
    for name in ("api_key", "x-api-key", "key", "access_token"):
        check_error(nobody.get(f"{_PATH}?{name}={key.secret}"), _PATH, 401)


def test_the_list_shows_keys_and_no_secret(keys: Keys, tenant: str, key: Key) -> None:
    listed = {each["id"]: each for each in keys.list()}
    assert listed[key.id]["tenant"] == tenant
    for shown in (keys.list_text(), keys.list_text("--json")):
        assert key.id in shown
        assert key.secret not in shown
        assert key.secret.rpartition(".")[2] not in shown


def test_revoking_one_key_acts_at_once_and_leaves_the_others(
    keys: Keys, tenant: str, nobody: Caller, key: Key
) -> None:
    other = keys.create(tenant)
    _until(nobody, other, 200)
    keys.revoke(other)
    _until(nobody, other, 401)
    assert _status(nobody, key) == 200
    states = {each["id"]: each["state"] for each in keys.list()}
    assert (states[other.id], states[key.id]) == ("revoked", "active")


def test_rotation_overlaps(keys: Keys, tenant: str, nobody: Caller) -> None:
    old = keys.create(tenant)
    _until(nobody, old, 200)
    new = keys.create(tenant)
    _until(nobody, new, 200)
    assert _status(nobody, old) == 200, "the old key must go on until it is revoked"
    keys.revoke(old)
    _until(nobody, old, 401)
    assert _status(nobody, new) == 200


def test_a_key_ends_with_its_lifetime(keys: Keys, tenant: str, nobody: Caller) -> None:
    # Making it takes a part of its life.
    made = keys.create(tenant, lifetime="20s")
    _until(nobody, made, 200)
    # The gateway forgives a few seconds of clock difference.
    while _status(nobody, made) == 200:
        assert time.time() < made.expires + 15, "the key outlives its lifetime"
        time.sleep(0.5)
    assert time.time() > made.expires - 1
    check_error(nobody.get(_PATH, headers=[("x-api-key", made.secret)]), _PATH, 401)


def test_a_key_of_an_unknown_tenant_is_not_made(keys: Keys) -> None:
    with pytest.raises(RuntimeError, match="no-such-tenant"):
        keys.create("no-such-tenant")
