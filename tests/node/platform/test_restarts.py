# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each part of a platform on a node ends while callers ask, and no caller notices."""

from __future__ import annotations

import copy
import dataclasses
import os
import signal
import threading
import time
import typing as t

import httpx2
import openai
import pytest

from tests.behaviour.client import Caller, openai_client
from tests.behaviour.keys import Keys
from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.own_node import OwnNode
from tests.node.platform.traffic import WAIT_SECONDS, Traffic, wait_until

_TENANT, _MODEL, _ANOTHER_MODEL, _LANGUAGE_MODEL = "tenant-a", "iris", "iris-too", "smollm2"
# As many as the model's context has room for.
_MANY_TOKENS = 3900
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


class Stream:
    """A long answer of a language model, read in the background by who shall not notice anything."""

    def __init__(self, platform: Platform, token: str) -> None:
        """Begin it.

        Attributes:
            chunks: How many have come.
            whole: It has come to its end.
            problem: What was wrong with it; empty where nothing was.
        """
        self.chunks = 0
        self.whole = False
        self.problem = ""
        self._chunks = openai_client(platform, token).chat.completions.create(
            model=_LANGUAGE_MODEL,
            messages=[{"role": "user", "content": "Tell a long story."}],
            max_tokens=_MANY_TOKENS,
            stream=True,
            # It shall not end by itself.
            extra_body={"ignore_eos": True},
        )
        next(self._chunks)
        self._thread = threading.Thread(target=self._read)
        self._left = False

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave, whether it has come to its end or not."""
        self._left = True
        self._thread.join()
        self._chunks.close()

    def _read(self) -> None:
        reason = None
        try:
            for chunk in self._chunks:
                self.chunks += 1
                reason = next((choice.finish_reason for choice in chunk.choices), reason)
                if self._left:
                    return
        except (OSError, httpx2.HTTPError, openai.OpenAIError) as error:
            self.problem = repr(error)
        else:
            self.whole = reason == "length"
            self.problem = "" if self.whole else f"it ended with {reason}"


def test_a_stream_goes_on_beside_a_new_model_and_while_tier_1_is_replaced(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    # An earlier test may have left one that is about to go.
    wait_until(lambda: len(tier_1(installed)) == 1, "more than one pod of tier 1 stays")
    (old,) = tier_1(installed)
    try:
        with Stream(platform, tokens[_TENANT]) as stream:
            with_another_model(installed).play("site.yml")
            with Caller(platform, tokens[_TENANT]) as caller:
                body = dict(platform.models[_MODEL].example_body)
                assert caller.post(f"/v1/models/{_ANOTHER_MODEL}:predict", body).is_success
            assert tier_1(installed) == [old], "it took the model over while it ran"
            replace(installed, "inferencebox-system", "tier1")
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
    wait_until(lambda: len(tier_1(installed)) == 1, "more than one pod of tier 1 stays")
    before = tier_1(installed)
    keys, model = Keys(platform), platform.models[_MODEL]

    def ask(caller: Caller, *credential: tuple[str, str]) -> httpx2.Response:
        body = dict(model.example_body)
        return caller.post(model.example_path, body, headers=credential, patient=False)

    with Caller(platform) as nobody, Caller(platform, tokens[_TENANT]) as owner:
        key = keys.create(_TENANT, requests_per_minute=_LIMIT)
        try:
            answers = [ask(nobody, ("x-api-key", key.secret)) for _ in range(3 * _LIMIT)]
            assert ask(owner).status_code == httpx2.codes.OK
        finally:
            keys.revoke_all()

    def is_refused() -> bool:
        # By a new connection: one of before may be answered once more. A revoked key may be known, and may do nothing.
        with Caller(platform) as again:
            return ask(again, ("x-api-key", key.secret)).status_code in (401, 404)

    wait_until(is_refused, "a revoked key is still answered")
    answered = [one for one in answers if one.is_success]
    refused = [one for one in answers if one.status_code == httpx2.codes.TOO_MANY_REQUESTS]
    assert len(answered) + len(refused) == len(answers)
    # The minute may have ended in between.
    assert _LIMIT <= len(answered) <= 2 * _LIMIT
    assert all(one.headers["x-ratelimit-limit"].startswith(str(_LIMIT)) for one in refused)
    assert all(1 <= int(one.headers["retry-after"]) <= 60 for one in refused)
    assert tier_1(installed) == before


def tier_1(node: OwnNode) -> list[str]:
    """Names of its pods."""
    words = ("--namespace=inferencebox-system", "get", "pods", "--output=name")
    done = node.kubectl(*words, "--selector=app.kubernetes.io/name=tier1")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def with_another_model(node: OwnNode) -> OwnNode:
    """The node as it becomes when its inventory has one model more."""
    variables = copy.deepcopy(dict(node.variables))
    (model,) = (one for one in variables["models"] if one["name"] == _MODEL)
    another = copy.deepcopy(model)
    another["name"] = _ANOTHER_MODEL
    another["serving"]["resources"]["cpu"] = "100m"
    variables["models"].append(another)
    (tenant,) = (one for one in variables["tenants"] if one["name"] == _TENANT)
    tenant["models"]["allow"].append(_ANOTHER_MODEL)
    return dataclasses.replace(node, variables=variables)


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
