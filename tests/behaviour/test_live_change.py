# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A new tenant and a new model are live after `up`, and no request of the others fails meanwhile."""

from __future__ import annotations

import copy
import pwd
import time
import typing as t

import pytest

from .client import Caller, fetch_token
from .errors import MODEL_NOT_FOUND, check_error
from .keys import Key, Keys
from .own_platform import OwnPlatform
from .platform_json import Platform
from .traffic import Traffic

pytestmark = pytest.mark.disruptive

_TENANT = "newcomer"
_MODEL = "newcomer-model"
_LIMIT = 20
# A changed key list is live when the gateway has read its new file.
_TAKES_EFFECT_SECONDS = 30.0

Vars = dict[str, t.Any]


@pytest.fixture(scope="module")
def grown(
    own: OwnPlatform, platform: Platform, tokens: dict[str, str]
) -> t.Iterator[tuple[Platform, Traffic]]:
    """The platform with a tenant and a model more, and the traffic that ran while they came.

    At the end the inventory is as it was, and the platform follows.
    """
    pairs = [(tenant, model) for tenant in tokens for model in platform.usable_by(tenant)]
    tenants: list[list[Vars]] = []
    models: list[list[Vars]] = []

    def with_tenant(present: list[Vars]) -> list[Vars]:
        tenants.append(present)
        added = {
            **copy.deepcopy(present[0]),
            "name": _TENANT,
            "models": {"allow": [_MODEL]},
            "limits": {"requests_per_minute": _LIMIT},
        }
        return [*present, added]

    def with_model(present: list[Vars]) -> list[Vars]:
        models.append(present)
        like = next(m for m in present if m["framework"] != "llm")
        return [*present, {**copy.deepcopy(like), "name": _MODEL, "tenant": _TENANT}]

    own.change("tenants", with_tenant)
    own.change("models", with_model)
    try:
        with Traffic(platform, tokens, pairs) as traffic:
            own.up()
        yield Platform.read(own.platform_json), traffic
    finally:
        own.change("tenants", lambda _: tenants[0])
        own.change("models", lambda _: models[0])
        own.up()


@pytest.fixture(scope="module")
def newcomer(grown: tuple[Platform, Traffic]) -> t.Iterator[Caller]:
    """The new tenant."""
    platform, _ = grown
    with Caller(platform, fetch_token(platform, _TENANT)) as caller:
        yield caller


def test_no_request_failed_while_they_came(grown: tuple[Platform, Traffic]) -> None:
    _, traffic = grown
    assert len(traffic.outcomes) > 100
    assert not traffic.failures(), (traffic.summary(), traffic.failures()[:3])


def test_the_new_tenant_uses_the_new_model(
    grown: tuple[Platform, Traffic], newcomer: Caller
) -> None:
    model = grown[0].models[_MODEL]
    assert model.owner == _TENANT
    answer = newcomer.post(model.example_path, model.example_body)
    assert answer.status_code == 200, answer.text
    listed = newcomer.get("/v1/models").json()["data"]
    assert [each["id"] for each in listed] == [_MODEL]


def test_others_do_not_see_the_new_model(
    grown: tuple[Platform, Traffic], callers: dict[str, Caller], newcomer: Caller
) -> None:
    platform, _ = grown
    model = platform.models[_MODEL]
    for caller in callers.values():
        answer = caller.post(model.example_path, model.example_body)
        check_error(answer, model.example_path, 404)
        path = f"/v1/models/{_MODEL}"
        check_error(caller.get(path), path, 404, code=MODEL_NOT_FOUND)
    for name, other in platform.models.items():
        if name != _MODEL:
            answer = newcomer.post(other.example_path, other.example_body)
            check_error(answer, other.example_path, 404)


def test_the_new_tenants_own_limit_holds(newcomer: Caller, callers: dict[str, Caller]) -> None:
    answers = [newcomer.get("/v1/models", patient=False) for _ in range(2 * _LIMIT + 2)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    body = check_error(refused[-1], "/v1/models", 429)
    assert "tenant" in body["error"]["message"].lower()
    assert all(caller.get("/v1/models").status_code == 200 for caller in callers.values())


def test_a_second_run_changes_nothing(own: OwnPlatform, grown: tuple[Platform, Traffic]) -> None:
    assert grown
    assert "nothing to change" in own.up()


def test_an_inventory_with_mistakes_changes_nothing(
    own: OwnPlatform, grown: tuple[Platform, Traffic], newcomer: Caller
) -> None:
    broken: list[list[Vars]] = []

    def with_mistake(present: list[Vars]) -> list[Vars]:
        broken.append(present)
        return [{**present[0], "tenant": "nobody-at-all"}, *present[1:]]

    own.change("models", with_mistake)
    try:
        with pytest.raises(RuntimeError, match="nobody-at-all"):
            own.up()
    finally:
        own.change("models", lambda _: broken[0])
    model = grown[0].models[_MODEL]
    assert newcomer.post(model.example_path, model.example_body).status_code == 200


def test_a_tenant_that_leaves_takes_everything_along(
    own: OwnPlatform, grown: tuple[Platform, Traffic], newcomer: Caller, nobody: Caller
) -> None:
    keys = Keys(grown[0])
    key = keys.create(_TENANT)
    _until(nobody, key, 200)
    tenants, models = own.variable("tenants"), own.variable("models")
    own.change("models", lambda _: [model for model in models if model["tenant"] != _TENANT])
    own.change("tenants", lambda _: [tenant for tenant in tenants if tenant["name"] != _TENANT])
    own.up()
    check_error(newcomer.get("/v1/models"), "/v1/models", 401)
    _until(nobody, key, 401)
    assert {each["id"]: each["state"] for each in keys.list()}[key.id] == "revoked"
    left = [path for path in own.home.rglob("*") if _TENANT in path.name and path.is_dir()]
    assert not left
    assert not list(own.home.glob(f"tier2/credentials/{_TENANT}.*"))
    users = [each.pw_name for each in pwd.getpwall() if each.pw_name.startswith(f"ib-{own.name}-")]
    assert not [user for user in users if _TENANT in user]
    assert "nothing to change" in own.up()
    # It comes back: with new keys only.
    own.change("tenants", lambda _: tenants)
    own.change("models", lambda _: models)
    own.up()
    _until(nobody, key, 401)
    again = keys.create(_TENANT)
    _until(nobody, again, 200)


def _until(caller: Caller, key: Key, status: int) -> None:
    deadline = time.monotonic() + _TAKES_EFFECT_SECONDS
    headers = [("x-api-key", key.secret)]
    while caller.get("/v1/models", headers=headers).status_code != status:
        assert time.monotonic() < deadline, f"no {status}"
        time.sleep(0.1)
