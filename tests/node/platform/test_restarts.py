# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each part of a platform on a node ends while callers ask, and no caller notices."""

from __future__ import annotations

import os
import signal
import threading
import typing as t

import httpx2
import pytest

from tests.behaviour.client import Caller, openai_client
from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.own_node import OwnNode
from tests.node.platform.traffic import WAIT_SECONDS, Traffic, wait_until

_TENANT, _MODEL, _LANGUAGE_MODEL = "tenant-a", "iris", "smollm2"
_MANY_TOKENS = 600
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
    replace(installed, namespace, workload)
    traffic.go_on_for(_AFTER)
    assert set(traffic.answers) == {"200"}, traffic.answers


def replace(node: OwnNode, namespace: str, workload: str) -> None:
    """Replace the pods of a Deployment, and wait for the new ones."""
    rollout = ("--namespace", namespace, "rollout")
    wait = ("status", f"deployment/{workload}", f"--timeout={WAIT_SECONDS:.0f}s")
    for words in (("restart", f"deployment/{workload}"), wait):
        done = node.kubectl(*rollout, *words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_stream_goes_on_while_tier_1_is_replaced(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    client = openai_client(platform, tokens[_TENANT])
    stream = client.chat.completions.create(
        model=_LANGUAGE_MODEL,
        messages=[{"role": "user", "content": "Tell a long story."}],
        max_tokens=_MANY_TOKENS,
        stream=True,
        # It shall not end by itself.
        extra_body={"ignore_eos": True},
    )
    next(stream)
    replacing = threading.Thread(target=replace, args=(installed, "inferencebox-system", "tier1"))
    replacing.start()
    reasons = [choice.finish_reason for chunk in stream for choice in chunk.choices]
    replacing.join()
    assert reasons[-1] == "length"


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
