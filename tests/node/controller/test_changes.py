# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What changes, or ends, behind callers of a tier 1 with controllers, and what they notice of it: nothing."""

from __future__ import annotations

import time
import typing as t

import httpx2
import pytest

from tests.behaviour.client import Caller
from tests.behaviour.platform_json import Model, Platform
from tests.node import machine, scaled
from tests.node.inventory import with_another_model
from tests.node.own_node import OwnNode
from tests.node.traffic import Stream, Traffic, wait_until

_TENANT, _MODEL = "tenant-c", "smollm2"
_NEW = {"iris": "iris-too", _MODEL: "smollm2-too"}
_NAMESPACE = "envoy-gateway-system"
_ENVOYS = "gateway.envoyproxy.io/owning-gateway-name=tier1"
_ASKED = 20
# Longer than Envoy Gateway lets an answer go on where nobody says how long.
_LONGER_THAN_ITS_OWN_DRAIN = 75

pytestmark = [machine.needed, pytest.mark.proves("L4", "tier1", "tier1-ai")]


@pytest.fixture
def traffic(platform: Platform, tokens: dict[str, str]) -> t.Iterator[Traffic]:
    model = platform.models["iris"]

    def ask(caller: Caller) -> httpx2.Response:
        return caller.post(model.example_path, dict(model.example_body))

    with Traffic(platform, tokens["tenant-a"], ask) as asked:
        yield asked


def test_new_models_answer_and_no_stream_notices(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    """One of each kind: named in the path, and named in the body."""
    before = envoys(installed)
    more = installed
    for model, name in _NEW.items():
        more = with_another_model(more, model, name)
    try:
        with Stream(platform, tokens[_TENANT], _MODEL) as stream:
            more.play("site.yml")
            for model, name in _NEW.items():
                _ask_each_envoy(platform, tokens, platform.models[model], name)
            chunks = stream.chunks
            wait_until(
                lambda: stream.whole or bool(stream.problem) or stream.chunks > chunks,
                "nothing comes",
            )
        assert not stream.problem, stream.problem
        assert envoys(installed) == before, "they took the models over while they ran"
    finally:
        installed.play("site.yml")


def _ask_each_envoy(
    platform: Platform, tokens: t.Mapping[str, str], like: Model, name: str
) -> None:
    """Ask a new model what the one that it is like is asked, by a new connection each time."""
    path = like.example_path.replace(like.name, name)
    body = dict(like.example_body) | ({"model": name} if like.is_llm else {})
    for _ in range(_ASKED):
        with Caller(platform, tokens[like.owner]) as caller:
            answer = caller.post(path, body)
        assert answer.status_code == httpx2.codes.OK, answer.text


def test_the_envoys_are_replaced_and_no_caller_notices(
    installed: OwnNode, platform: Platform, tokens: dict[str, str], traffic: Traffic
) -> None:
    before = envoys(installed)
    (deployment,) = scaled.listed(installed, "deployments", _NAMESPACE, _ENVOYS)
    with Stream(platform, tokens[_TENANT], _MODEL) as stream:
        installed.replace(_NAMESPACE, deployment["metadata"]["name"])
        time.sleep(_LONGER_THAN_ITS_OWN_DRAIN)
        chunks = stream.chunks
        wait_until(
            lambda: stream.whole or bool(stream.problem) or stream.chunks > chunks, "nothing comes"
        )
    assert not stream.problem, stream.problem
    assert set(traffic.answers) == {"200"}, traffic.answers
    wait_until(
        lambda: not set(before) & set(envoys(installed)), "an old Envoy has nothing to do and stays"
    )


@pytest.mark.parametrize(
    ("namespace", "workload"),
    [
        (_NAMESPACE, "envoy-gateway"),
        (_NAMESPACE, "envoy-ratelimit"),
        (_NAMESPACE, "valkey"),
        ("envoy-ai-gateway-system", "ai-gateway-controller"),
    ],
)
def test_what_runs_beside_the_envoys_is_replaced_and_no_caller_notices(
    installed: OwnNode, traffic: Traffic, namespace: str, workload: str
) -> None:
    installed.replace(namespace, workload)
    traffic.go_on_for(_ASKED)
    assert set(traffic.answers) == {"200"}, traffic.answers


def envoys(node: OwnNode) -> list[str]:
    """Names of tier 1's pods."""
    return sorted(
        one["metadata"]["name"] for one in scaled.listed(node, "pods", _NAMESPACE, _ENVOYS)
    )
