# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a model's objects is safe before its versions are ready."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.handover import (
    until_ready,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import Key

Object = dict[str, t.Any]
ROUTE = Key("networking.istio.io", "VirtualService", "a", "iris")
FILTER = Key("networking.istio.io", "EnvoyFilter", "system", "cohort-iris")
MODEL = Key("serving.kserve.io", "InferenceService", "a", "iris")


def labelled(version: str, spec: Object) -> Object:
    return {"metadata": {"labels": {"inferencebox.io/version": version}}, "spec": spec}


def route(version: str, *hosts: str, mirror: str = "", weight: int = 10) -> Object:
    """A route to the stable version and, with a weight, to a canary."""
    weights = [100 - weight * (len(hosts) - 1), weight]
    legs = [
        {"destination": {"host": host}, "weight": share}
        for host, share in zip(hosts, weights, strict=False)
    ]
    mirrors = {"mirrors": [{"destination": {"host": mirror}}]} if mirror else {}
    return labelled(version, {"http": [{"route": legs, **mirrors}]})


def model(version: str, canary: str = "", named: str = "") -> Object:
    spec = {"predictor": {"model": version}, **({"canary": [canary]} if canary else {})}
    return labelled(named or version, spec)


def revision(version: str, share: int | None = None) -> Object:
    """A model in mode knative whose newest revision has a version, and gets a share of the requests or all."""
    shared = {} if share is None else {"canaryTrafficPercent": share}
    return labelled(version, {"predictor": {"model": version, **shared}})


@pytest.mark.parametrize(
    ("was", "wanted", "goes"),
    [
        pytest.param(None, route("1", "stable", "canary"), True, id="new"),
        pytest.param(route("1", "stable"), route("1", "stable", "canary"), False, id="canary"),
        pytest.param(route("1", "stable"), route("1", "stable", mirror="m"), False, id="mirror"),
        pytest.param(route("1", "stable", "canary"), route("1", "stable"), True, id="taken-back"),
        pytest.param(route("1", "stable", mirror="m"), route("1", "stable"), True, id="unmirrored"),
        pytest.param(
            route("1", "stable", "canary", weight=9),
            route("1", "stable", "canary", weight=10),
            False,
            id="more",
        ),
        pytest.param(
            route("1", "stable", "canary", weight=10),
            route("1", "stable", "canary", weight=9),
            True,
            id="less",
        ),
        # KServe gives it no replica before.
        pytest.param(
            route("1", "stable", "canary", weight=0),
            route("1", "stable", "canary", weight=1),
            False,
            id="some",
        ),
        pytest.param(
            route("1", "stable", "canary", weight=100),
            route("1", "stable"),
            True,
            id="taken-back-from-all",
        ),
        # The stable Service still has pods of the old version.
        pytest.param(route("1", "stable", "canary"), route("2", "stable"), False, id="promoted"),
    ],
)
def test_a_route_goes_first_where_no_version_but_the_stable_one_gets_more(
    was: Object | None, wanted: Object, *, goes: bool
) -> None:
    assert until_ready(ROUTE, wanted, was) == (wanted if goes else None)


@pytest.mark.parametrize(
    ("was", "wanted", "until"),
    [
        pytest.param(None, model("1"), model("1"), id="new"),
        pytest.param(model("1"), model("1", "2"), model("1", "2"), id="canary"),
        pytest.param(model("1", "2"), model("2"), model("2", "2", named="1"), id="promoted"),
        pytest.param(
            model("1", "2"), model("2", "3"), model("2", "2", named="1"), id="promoted-with-next"
        ),
        pytest.param(
            model("2", "2", named="1"), model("2"), model("2", "2", named="1"), id="broken-off"
        ),
        # It may be one that never becomes ready: nobody waits for it.
        pytest.param(model("1", "2"), model("1"), model("1"), id="taken-back"),
    ],
)
def test_a_canary_that_is_promoted_stays_until_the_stable_version_is_its_own(
    was: Object | None, wanted: Object, until: Object
) -> None:
    assert until_ready(MODEL, wanted, was) == until


@pytest.mark.parametrize(
    ("was", "wanted", "until"),
    [
        # Until a canary is ready, Knative gives its share to the revision before it, which is the stable version.
        pytest.param(revision("1"), revision("2", 10), revision("2", 10), id="canary"),
        pytest.param(revision("2", 10), revision("2", 50), revision("2", 50), id="more"),
        pytest.param(revision("2", 10), revision("2"), revision("2"), id="promoted"),
        pytest.param(revision("2", 10), revision("1"), revision("1", 0), id="taken-back"),
        pytest.param(revision("1", 0), revision("1"), revision("1", 0), id="broken-off"),
        pytest.param(revision("2", 10), revision("3", 10), revision("3", 0), id="next-canary"),
        pytest.param(revision("1"), revision("2"), revision("2"), id="next-version"),
    ],
)
def test_a_revision_after_a_canary_gets_its_share_when_it_is_ready(
    was: Object | None, wanted: Object, until: Object
) -> None:
    """Until then, Knative would give that share to the canary."""
    assert until_ready(MODEL, wanted, was) == until


@pytest.mark.parametrize("was", [None, {"spec": {"configPatches": []}}])
def test_what_changes_a_route_comes_with_it(was: Object | None) -> None:
    wanted: Object = {"spec": {"configPatches": ["hash"]}}
    assert until_ready(FILTER, wanted, was) is None
    assert until_ready(FILTER, wanted, wanted) == wanted


def test_other_kinds_wait_for_nothing() -> None:
    policy = Key("security.istio.io", "AuthorizationPolicy", "a", "allow")
    assert until_ready(policy, {"spec": {}}, {"spec": {"rules": []}}) == {"spec": {}}
