# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs over a small cluster in memory: requests, order, and what a failure stops."""

from __future__ import annotations

import contextlib
import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
    applying,
    pruning,
    synchronising,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import (
    Owner,
    Wanted,
    prepare,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

from .fake_server import Server, body, status

Object = dict[str, t.Any]
OWNER = Owner("demo")
ALL = frozenset({"list", "delete"})
KINDS = [
    Resource("", "v1", "Namespace", "namespaces", namespaced=False, verbs=ALL),
    Resource("", "v1", "ConfigMap", "configmaps", namespaced=True, verbs=ALL),
    Resource("", "v1", "Secret", "secrets", namespaced=True, verbs=ALL),
    Resource(
        "gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes", namespaced=True, verbs=ALL
    ),
    Resource(
        "networking.istio.io", "v1", "VirtualService", "virtualservices", namespaced=True, verbs=ALL
    ),
    Resource(
        "networking.istio.io", "v1", "EnvoyFilter", "envoyfilters", namespaced=True, verbs=ALL
    ),
]


class Cluster:
    """Keeps what is applied, as one manager's, and refuses names that begin with ``bad``."""

    def __init__(self) -> None:
        self.kept: dict[str, Object] = {}
        # The server goes away when an object of this name is there.
        self.last_name = ""
        self.server = Server(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, dry = request.url.path, "dryRun" in request.url.params
        if any(one["metadata"]["name"] == self.last_name for one in self.kept.values()):
            raise httpx.ConnectError("connection refused", request=request)
        if request.method == "PATCH":
            if path.rpartition("/")[2].startswith("bad"):
                return status(422, "Invalid value")
            return self._applied(path, body(request), dry=dry)
        if request.method == "DELETE":
            self.kept.pop(path)
            return httpx.Response(200, json={})
        if path in self.kept:
            return httpx.Response(200, json=self.kept[path])
        plural = path.rpartition("/")[2]
        if plural in {kind.plural for kind in KINDS}:
            found = [o for p, o in self.kept.items() if p.split("/")[-2] == plural]
            return httpx.Response(200, json={"items": found})
        return status(404, "not found")

    def _applied(self, path: str, one: Object, *, dry: bool) -> httpx.Response:
        entry = {"manager": OWNER.manager, "operation": "Apply", "fieldsV1": _fields(one)}
        metadata = {**one["metadata"], "managedFields": [entry], "uid": path}
        live = {**one, "metadata": metadata}
        code = 200 if path in self.kept else 201
        if not dry:
            self.kept[path] = live
        return httpx.Response(code, json=live)


def _fields(value: t.Any) -> t.Any:
    if not isinstance(value, dict):
        return {}
    return {f"f:{name}": _fields(below) for name, below in value.items()}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def config(name: str, **data: str) -> Object:
    metadata = {"name": name, "namespace": "n"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def route(name: str) -> Object:
    kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
    return {**kind, "metadata": {"name": name, "namespace": "n"}, "spec": {}}


SPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}


def resources() -> Resources:
    return Resources({(kind.api_version, kind.kind): kind for kind in KINDS})


def wanted(*objects: Object) -> list[Wanted]:
    return prepare(objects, resources(), OWNER)


def run(cluster: Cluster, *objects: Object, **options: t.Any) -> dict[str, str]:
    found = applying.apply(cluster.server.api, wanted(*objects), OWNER, applying.Options(**options))
    return {one.key.name: one.status for one in found}


def test_one_request_an_object_and_one_a_kind(cluster: Cluster) -> None:
    objects = [SPACE, *(config(f"c{number}") for number in range(20))]
    assert set(run(cluster, *objects).values()) == {"created"}
    assert len(cluster.server.asked("PATCH")) == 21
    assert len(cluster.server.asked("GET")) == 2


def test_what_is_as_wanted_is_not_sent_again(cluster: Cluster) -> None:
    run(cluster, SPACE, config("a", x="1"))
    cluster.server.requests.clear()
    assert set(run(cluster, SPACE, config("a", x="1")).values()) == {"unchanged"}
    assert cluster.server.asked("PATCH") == []
    assert run(cluster, SPACE, config("a", x="2")) == {"n": "unchanged", "a": "changed"}


def test_objects_go_in_the_order_of_their_kinds(cluster: Cluster) -> None:
    run(cluster, route("r"), config("a"), SPACE)
    plurals = [path.split("/")[-2] for path in cluster.server.asked("PATCH")]
    assert plurals == ["namespaces", "configmaps", "httproutes"]


def test_after_a_failure_the_rest_is_only_tried(cluster: Cluster) -> None:
    found = run(cluster, SPACE, config("good"), config("bad"), route("r"), route("bad-route"))
    assert found == {
        "n": "created",
        "good": "created",
        "bad": "failed",
        "r": "skipped",
        "bad-route": "failed",
    }
    assert sorted(path.rpartition("/")[2] for path in cluster.kept) == ["good", "n"]


def test_check_mode_changes_nothing(cluster: Cluster) -> None:
    assert run(cluster, SPACE, config("a"), check=True) == {"n": "created", "a": "created"}
    assert cluster.kept == {}


def leading(kind: str, *hosts: str) -> Object:
    metadata = {"name": kind.lower(), "namespace": "n"}
    legs = [{"destination": {"host": host}} for host in hosts]
    spec = {"http": [{"route": legs}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


def test_what_is_not_safe_yet_is_held_back_and_comes_with_the_next_run(cluster: Cluster) -> None:
    assert run(cluster, leading("VirtualService", "stable"), hold=True) == {
        "virtualservice": "created"
    }
    objects = [leading("VirtualService", "stable", "canary"), leading("EnvoyFilter"), config("c")]
    options = applying.Options(hold=True)
    found = applying.apply(cluster.server.api, wanted(*objects), OWNER, options)
    assert {one.key.name: (one.status, one.held) for one in found} == {
        "c": ("created", False),
        "envoyfilter": ("skipped", True),
        "virtualservice": ("unchanged", True),
    }
    assert run(cluster, *objects) == {
        "c": "unchanged",
        "envoyfilter": "created",
        "virtualservice": "changed",
    }
    again = applying.apply(cluster.server.api, wanted(*objects), OWNER, options)
    assert not any(one.held for one in again)


def test_pruning_goes_backwards_and_spares_what_others_made(cluster: Cluster) -> None:
    run(cluster, SPACE, config("a"), config("b"), route("r"))
    derived = dict(cluster.kept["/api/v1/namespaces/n/configmaps/a"])
    derived["metadata"] = {**derived["metadata"], "name": "derived", "managedFields": []}
    cluster.kept["/api/v1/namespaces/n/configmaps/derived"] = derived
    present = pruning.owned(cluster.server.api, resources(), OWNER)
    keys = {one.key for one in wanted(config("a"))}
    found = pruning.prune(cluster.server.api, present, keys, OWNER, pruning.Options())
    assert [one.key.name for one in found] == ["r", "b", "n"]
    assert {one.status for one in found} == {"deleted"}
    assert sorted(path.rpartition("/")[2] for path in cluster.kept) == ["a", "derived"]


def test_a_report_reads_as_a_person_needs_it(cluster: Cluster) -> None:
    outcomes = applying.apply(
        cluster.server.api,
        wanted(SPACE, config("a", x="1"), config("bad")),
        OWNER,
        applying.Options(),
    )
    report = synchronising.Report(tuple(outcomes))
    result = report.result()
    assert result["changed"] is True
    assert result["counts"] == {"created": 2, "failed": 1}
    assert [row["message"] for row in result["objects"]] == ["", "", "Invalid value"]
    config_row = next(one for one in result["diff"] if one["before_header"] == "ConfigMap n/a")
    assert config_row["before"] == ""
    assert "x: '1'" in config_row["after"]


def test_a_takeover_of_no_object_is_a_mistake() -> None:
    row = {"kind": "ConfigMap", "name": "nobody", "namespace": "n", "fields": [".data.x"]}
    request = synchronising.Request([config("a")], "demo", take_ownership=[row])
    with pytest.raises(ClusterError, match="take_ownership: ConfigMap nobody is not among"):
        synchronising.synchronise(request)


def test_what_was_applied_is_reported_when_the_server_goes_away(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synchronising, "connect", lambda *_: cluster.server.api)
    monkeypatch.setattr(Resources, "of", lambda _: resources())
    cluster.last_name = "r"
    request = synchronising.Request([SPACE, route("r")], "demo", wait_timeout=5)
    report = synchronising.synchronise(request)
    assert [one.status for one in report.outcomes] == ["created", "created"]
    assert "does not answer: connection refused" in report.problem
    assert report.result()["changed"] is True


def test_what_changes_a_route_goes_before_the_route_and_the_rest_stays_for_the_next_run(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        synchronising, "connect", lambda *_: contextlib.nullcontext(cluster.server.api)
    )
    monkeypatch.setattr(Resources, "of", lambda _: resources())
    run(cluster, leading("VirtualService", "stable", "canary"), leading("EnvoyFilter"), config("c"))
    before = len(cluster.server.requests)
    objects = [leading("VirtualService", "stable")]
    report = synchronising.synchronise(synchronising.Request(objects, "demo", hold=True))
    assert report.result()["held_back"] is True
    asked = [(one.method, one.url.path.split("/")[-2]) for one in cluster.server.requests[before:]]
    changes = [one for one in asked if one[0] != "GET"]
    assert changes == [("DELETE", "envoyfilters"), ("PATCH", "virtualservices")]
    assert "/api/v1/namespaces/n/configmaps/c" in cluster.kept
    again = synchronising.Request(objects, "demo", prune=True)
    assert not synchronising.synchronise(again).problem
    assert "/api/v1/namespaces/n/configmaps/c" not in cluster.kept
    report = synchronising.synchronise(synchronising.Request(objects, "demo", hold=True))
    assert report.result()["held_back"] is False
