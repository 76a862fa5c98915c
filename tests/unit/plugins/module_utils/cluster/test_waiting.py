# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting: rounds, ends and reasons, on a clock of the tests' own."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Callable, Iterator

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import waiting
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import (
    Key,
    Wanted,
)

from .clock import Clock
from .fake_server import Server, body, status

Live = dict[str, t.Any]
CLASS = Resource(
    "gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses", namespaced=False
)
MODEL = Resource(
    "serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices", namespaced=True
)
CONFIG = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)


def wanted(name: str, resource: Resource = CLASS) -> Wanted:
    key = Key(resource.group, resource.kind, "n" if resource.namespaced else "", name)
    return Wanted(key, resource, {})


def accepted(name: str, status: str = "True", reason: str = "") -> Live:
    found = {"type": "Accepted", "status": status, "reason": reason}
    return {"metadata": {"name": name}, "status": {"conditions": [found]}}


def rounds(*items: list[Live]) -> Callable[[httpx.Request], httpx.Response]:
    """One list a round; the last one stays."""
    left: Iterator[list[Live]] = iter(items)
    last: list[list[Live]] = []

    def answer(_: httpx.Request) -> httpx.Response:
        last.append(next(left, last[-1] if last else []))
        return httpx.Response(200, json={"items": last[-1]})

    return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


def until_ready(
    server: Server, clock: Clock, *names: str, timeout: float = 60
) -> list[waiting.Late]:
    patience = waiting.Patience(timeout)
    return waiting.until_ready(
        server.api, [wanted(n) for n in names], "a=b", patience, clock.now, clock.sleep
    )


def test_one_request_a_kind_and_round_until_all_are_ready(clock: Clock) -> None:
    first, both = [accepted("a"), accepted("b", "False")], [accepted("a"), accepted("b")]
    server = Server(rounds(first, first, both))
    assert until_ready(server, clock, "a", "b") == []
    assert len(server.requests) == 3


def test_kinds_that_are_in_force_at_once_are_not_asked_for(clock: Clock) -> None:
    server = Server(lambda _: status(500, "nobody should ask"))
    one = [wanted("a", CONFIG)]
    patience = waiting.Patience(60)
    assert waiting.until_ready(server.api, one, "a=b", patience, clock.now, clock.sleep) == []


def test_the_time_ends_with_the_reason(clock: Clock) -> None:
    server = Server(rounds([accepted("a"), accepted("b", "False", "Pending")]))
    (late,) = until_ready(server, clock, "a", "b", timeout=30)
    assert (late.key.name, late.failed) == ("b", False)
    assert "Accepted=False Pending" in late.reason
    assert clock.seconds == pytest.approx(30, abs=0.1)


def test_what_was_deleted_meanwhile_is_a_failure_that_ends_the_wait(clock: Clock) -> None:
    server = Server(rounds([accepted("b", "False")]))
    late = until_ready(server, clock, "a", "b", timeout=3600)
    assert {(one.key.name, one.failed) for one in late} == {("a", True), ("b", False)}
    assert clock.seconds < 60


def test_a_failure_that_is_taken_back_does_not_end_the_wait(clock: Clock) -> None:
    server = Server(rounds([], [accepted("a", "False")], [], [accepted("a")]))
    assert until_ready(server, clock, "a") == []


def test_what_calls_itself_ready_is_not_when_its_pods_are_not(clock: Clock) -> None:
    """A controller that was stopped with everything else has not taken back what it said before."""
    said = {"conditions": [{"type": "Ready", "status": "True"}]}
    model = {"metadata": {"name": "iris", "namespace": "n"}, "status": said}
    pods = iter(["False", "False", "True"])

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/pods"):
            found = [] if "deployments" in request.url.path else [model]
            return httpx.Response(200, json={"items": found})
        ready = {"conditions": [{"type": "Ready", "status": next(pods)}]}
        return httpx.Response(200, json={"items": [{"metadata": {"name": "p"}, "status": ready}]})

    one, patience = [wanted("iris", MODEL)], waiting.Patience(60)
    api = Server(answer).api
    assert waiting.until_ready(api, one, "a=b", patience, clock.now, clock.sleep) == []
    assert clock.seconds > 0
    assert next(pods, None) is None


FULL = "0/1 nodes are available: 1 Insufficient cpu."


def crowded(ending: str, looks: int) -> Callable[[httpx.Request], httpx.Response]:
    """Two models: the new pod of `full` finds no node; `other`, or a pod that is deleted, is about to end for some looks."""
    said = {"conditions": [{"type": "Ready", "status": "True"}]}
    models = [
        {"metadata": {"name": n, "namespace": "n"}, "status": said} for n in ("full", "other")
    ]
    no_room = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": FULL,
    }
    waits: Live = {"metadata": {"name": "p"}, "status": {"conditions": [no_room]}}
    replaced = {"replicas": 2, "updatedReplicas": 1}
    left = itertools.chain([True] * looks, itertools.repeat(False))

    def answer(request: httpx.Request) -> httpx.Response:
        path, full = request.url.path, "=full" in str(request.url.params.get("labelSelector"))
        if path.endswith("inferenceservices"):
            found: list[Live] = models
        elif path.endswith("deployments"):
            late = full or (ending == "other" and next(left))
            found = [{"metadata": {"name": "d"}, "status": replaced if late else {}}]
        elif path == "/api/v1/pods":
            metadata: Live = {"name": "old"}
            if ending == "deleted" and next(left):
                metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            found = [{"metadata": metadata, "spec": {"nodeName": "node"}}]
        else:
            found = [waits] if full else []
        return httpx.Response(200, json={"items": found})

    return answer


def crowd(
    clock: Clock, *, fixed_nodes: bool = True, ending: str = "", looks: int = 0
) -> tuple[list[waiting.Late], list[tuple[float, str]]]:
    """Wait for the two; what is late in the end, and what was told when."""
    told: list[tuple[float, str]] = []
    patience = waiting.Patience(600, fixed_nodes, lambda line: told.append((clock.seconds, line)))
    both = [wanted("full", MODEL), wanted("other", MODEL)]
    api = Server(crowded(ending, looks)).api
    return waiting.until_ready(api, both, "a=b", patience, clock.now, clock.sleep), told


def test_who_waits_for_room_that_may_come_is_told_of_it_once(clock: Clock) -> None:
    late, told = crowd(clock, fixed_nodes=False)
    assert [(one.key.name, one.failed) for one in late] == [("full", False)]
    assert clock.seconds == pytest.approx(600, abs=1)
    ((when, line),) = told
    assert when < 60
    assert "full: pod p: Unschedulable: " + FULL in line


def test_room_that_cannot_come_is_not_waited_for(clock: Clock) -> None:
    late, told = crowd(clock)
    assert [(one.key.name, one.failed) for one in late] == [("full", True)]
    assert FULL in late[0].reason
    assert len(told) == 1
    assert clock.seconds < 60


@pytest.mark.parametrize("ending", ["other", "deleted"])
def test_whoever_may_give_room_back_is_waited_for(clock: Clock, ending: str) -> None:
    """Another model's old pod goes when its new one is ready; one that was deleted ends within its grace."""
    late, _ = crowd(clock, ending=ending, looks=60)
    assert [one.key.name for one in late] == ["full"]
    assert 60 < clock.seconds < 600


def test_what_was_replaced_and_still_answers_yields_to_what_finds_no_room(clock: Clock) -> None:
    names = ["younger", "older"]
    told: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path, selector = request.url.path, str(request.url.params.get("labelSelector"))
        if request.method == "DELETE":
            names.remove(path.rpartition("/")[2])
            return httpx.Response(200, json={})
        if path != "/api/v1/pods" or "inferencebox.io/yields" not in selector:
            return crowded("", 0)(request)
        pods = [
            {
                "metadata": {
                    "name": name,
                    "namespace": "n",
                    "uid": name,
                    "deletionTimestamp": f"2026-01-01T00:00:0{9 - place}Z",
                }
            }
            for place, name in enumerate(names)
        ]
        return httpx.Response(200, json={"items": [*pods, {"metadata": {"name": "present"}}]})

    server = Server(answer)
    patience = waiting.Patience(200, tell=told.append, yielding="of=platform")
    waiting.until_ready(
        server.api, [wanted("full", MODEL)], "a=b", patience, clock.now, clock.sleep
    )
    assert server.asked("DELETE") == [
        f"/api/v1/namespaces/n/pods/{n}" for n in ("older", "younger")
    ]
    deleted = [body(one) for one in server.requests if one.method == "DELETE"]
    assert {one["gracePeriodSeconds"] for one in deleted} == {1}
    assert sum("older" in line for line in told) == 1


def gone(server: Server, clock: Clock, timeout: float = 30) -> list[waiting.Late]:
    keys = {wanted("a").key: CLASS, wanted("b", CONFIG).key: CONFIG}
    return waiting.until_gone(server.api, keys, "a=b", timeout, clock.now, clock.sleep)


def test_gone_is_gone_also_with_the_kind(clock: Clock) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("gatewayclasses"):
            return status(404, "the server could not find the requested resource")
        return httpx.Response(200, json={"items": []})

    assert gone(Server(answer), clock) == []


def test_what_holds_an_object_is_named(clock: Clock) -> None:
    held = {"metadata": {"name": "a", "finalizers": ["example.com/hold"]}}
    left = {"metadata": {"name": "b", "namespace": "n"}}

    def answer(request: httpx.Request) -> httpx.Response:
        items = [held] if request.url.path.endswith("gatewayclasses") else [left]
        return httpx.Response(200, json={"items": items})

    reasons = {one.key.name: one.reason for one in gone(Server(answer), clock)}
    assert "held by example.com/hold" in reasons["a"]
    assert "not removed it yet" in reasons["b"]


def test_a_namespace_tells_what_is_left_in_it(clock: Clock) -> None:
    message = "Some resources are remaining: things.example.com has 1 resource instances"
    found = {"type": "NamespaceContentRemaining", "status": "True", "message": message}
    namespace = {
        "metadata": {"name": "n"},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": [found]},
    }
    kind = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
    server = Server(rounds([namespace]))
    keys = {Key("", "Namespace", "", "n"): kind}
    (late,) = waiting.until_gone(server.api, keys, "a=b", 1, clock.now, clock.sleep)
    assert late.reason == message


def test_without_the_right_to_list_everywhere_each_namespace_is_asked(clock: Clock) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/namespaces/" in request.url.path or request.url.path.endswith("gatewayclasses/a"):
            return httpx.Response(200, json={"items": [], "metadata": {"name": "a"}})
        return status(403, "forbidden")

    server = Server(answer)
    assert [one.key.name for one in gone(server, clock, timeout=0)] == ["a"]
    assert "/api/v1/namespaces/n/configmaps" in server.asked("GET")
