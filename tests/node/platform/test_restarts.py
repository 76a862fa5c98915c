# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each part of a platform on a node ends while callers ask, and no caller notices."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
import typing as t

import httpx2
import pytest

from tests.behaviour.client import Caller
from tests.behaviour.keys import Keys
from tests.behaviour.platform_json import Model, Platform
from tests.node import machine
from tests.node.inventory import with_another_model
from tests.node.own_node import OwnNode
from tests.node.traffic import Stream, Traffic, wait_until

_TENANT, _MODEL, _ANOTHER_MODEL, _LANGUAGE_MODEL = "tenant-a", "iris", "iris-too", "smollm2"
# An old pod goes on for less than that when it has nothing to do.
_LONGER_THAN_IDLE_SECONDS = 40
_LIMIT = 4
_AFTER = 20

pytestmark = machine.needed


@pytest.fixture
def traffic(platform: Platform, tokens: dict[str, str]) -> t.Iterator[Traffic]:
    model = platform.models[_MODEL]

    def ask(caller: Caller) -> httpx2.Response:
        return caller.post(model.example_path, dict(model.example_body))

    with Traffic(platform, tokens[_TENANT], ask) as asked:
        yield asked


@pytest.mark.parametrize(
    ("namespace", "workload"),
    [
        ("inferencebox-system", "tier1"),
        ("inferencebox-system", "tier2"),
        ("istio-system", "istiod"),
        ("kserve", "kserve-controller-manager"),
        (_TENANT, f"{_MODEL}-predictor"),
    ],
)
def test_a_component_is_replaced_and_no_caller_notices(
    installed: OwnNode, traffic: Traffic, namespace: str, workload: str
) -> None:
    installed.replace(namespace, workload)
    traffic.go_on_for(_AFTER)
    assert set(traffic.answers) == {"200"}, traffic.answers


def test_a_stream_goes_on_beside_a_new_model_and_while_tier_1_is_replaced(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    old = only_tier_1(installed)
    try:
        with Stream(platform, tokens[_TENANT], _LANGUAGE_MODEL) as stream:
            with_another_model(installed, _MODEL, _ANOTHER_MODEL).play("site.yml")
            with Caller(platform, tokens[_TENANT]) as caller:
                body = dict(platform.models[_MODEL].example_body)
                assert caller.post(f"/v1/models/{_ANOTHER_MODEL}:predict", body).is_success
            assert tier_1(installed) == [old], "it took the model over while it ran"
            installed.replace("inferencebox-system", "tier1")
            time.sleep(_LONGER_THAN_IDLE_SECONDS)
            assert stream.whole or stream.problem or old in tier_1(installed)
            before = stream.chunks
            wait_until(
                lambda: bool(stream.whole or stream.problem or stream.chunks > before),
                "nothing comes",
            )
        assert not stream.problem, stream.problem
        wait_until(lambda: old not in tier_1(installed), "the old pod has nothing to do and stays")
    finally:
        installed.play("site.yml")


@pytest.mark.proves("L4", "tier1-standalone")
def test_a_key_and_its_limit_are_taken_over_while_tier_1_runs(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    before = only_tier_1(installed)
    keys, model = Keys(platform), platform.models[_MODEL]
    with Caller(platform) as nobody, Caller(platform, tokens[_TENANT]) as owner:
        key = keys.create(_TENANT, requests_per_minute=_LIMIT)
        try:
            answers = [ask(nobody, model, ("x-api-key", key.secret)) for _ in range(3 * _LIMIT)]
            assert ask(owner, model).status_code == httpx2.codes.OK
        finally:
            keys.revoke_all()

    def is_refused() -> bool:
        # By a new connection: one of before may be answered once more. A revoked key may be known, and may do nothing.
        with Caller(platform) as again:
            return ask(again, model, ("x-api-key", key.secret)).status_code in (401, 404)

    wait_until(is_refused, "a revoked key is still answered")
    answered = [one for one in answers if one.is_success]
    refused = [one for one in answers if one.status_code == httpx2.codes.TOO_MANY_REQUESTS]
    assert len(answered) + len(refused) == len(answers)
    # The minute may have ended in between.
    assert _LIMIT <= len(answered) <= 2 * _LIMIT
    assert all(one.headers["x-ratelimit-limit"].startswith(str(_LIMIT)) for one in refused)
    assert all(1 <= int(one.headers["retry-after"]) <= 60 for one in refused)
    assert tier_1(installed) == [before]


@pytest.mark.proves("L4", "tier1-standalone")
def test_limits_of_tenants_come_and_go_while_tier_1_runs(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    before = only_tier_1(installed)
    model = platform.models[_MODEL]

    def answers() -> set[int]:
        with Caller(platform, tokens[_TENANT]) as caller:
            return {ask(caller, model).status_code for _ in range(3 * _LIMIT)}

    try:
        all_limited(installed, {"requests_per_minute": _LIMIT}).play("site.yml")
        assert answers() == {200, 429}
        all_limited(installed, {}).play("site.yml")
        assert answers() == {200}
    finally:
        installed.play("site.yml")
    assert tier_1(installed) == [before]


def all_limited(node: OwnNode, limits: dict[str, int]) -> OwnNode:
    """The node as it becomes when all its tenants have these limits, and no others."""
    tenants = [{**tenant, "limits": limits} for tenant in node.variables["tenants"]]
    return dataclasses.replace(node, variables={**node.variables, "tenants": tenants})


def ask(caller: Caller, model: Model, *credential: tuple[str, str]) -> httpx2.Response:
    """Ask a model with its example, and take the first answer."""
    body = dict(model.example_body)
    return caller.post(model.example_path, body, headers=credential, patient=False)


def only_tier_1(node: OwnNode) -> str:
    """Name of its pod, once those that earlier tests have left are gone."""
    wait_until(lambda: len(tier_1(node)) == 1, "more than one pod of tier 1 stays")
    (one,) = tier_1(node)
    return one


def tier_1(node: OwnNode) -> list[str]:
    """Names of its pods."""
    words = ("--namespace=inferencebox-system", "get", "pods", "--output=name")
    done = node.kubectl(*words, "--selector=app.kubernetes.io/name=tier1")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "program",
    [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "kubelet",
        "containerd",
    ],
)
def test_a_part_of_the_node_is_killed_and_no_caller_notices(
    installed: OwnNode, traffic: Traffic, program: str
) -> None:
    before = installed.processes()[program]
    os.kill(before, signal.SIGKILL)
    wait_until(
        lambda: installed.processes().get(program, before) != before, f"no {program} comes back"
    )
    wait_until(
        lambda: installed.kubectl("get", "--raw=/readyz").stdout == "ok",
        "the API server is not ready again",
    )
    traffic.go_on_for(_AFTER)
    assert set(traffic.answers) == {"200"}, traffic.answers
