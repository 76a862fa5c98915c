# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster says that it serves."""

from __future__ import annotations

import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

from .fake_server import Server


def row(kind: str, plural: str, scope: str, *verbs: str) -> dict[str, t.Any]:
    return {
        "resource": plural,
        "responseKind": {"kind": kind},
        "scope": scope,
        "verbs": list(verbs),
    }


def group(name: str, *versions: tuple[str, list[dict[str, t.Any]]]) -> dict[str, t.Any]:
    rows = [{"version": version, "resources": found} for version, found in versions]
    return {"metadata": {"name": name} if name else {}, "versions": rows}


EVERYTHING = ("create", "delete", "get", "list", "patch")
ANSWERS = {
    "/api": [
        group(
            "",
            (
                "v1",
                [
                    row("Namespace", "namespaces", "Cluster", *EVERYTHING),
                    row("ConfigMap", "configmaps", "Namespaced", *EVERYTHING),
                    row("Event", "events", "Namespaced", *EVERYTHING),
                    row("Binding", "bindings", "Namespaced", "create"),
                ],
            ),
        )
    ],
    "/apis": [
        group(
            "example.com",
            ("v2", [row("Thing", "things", "Namespaced", *EVERYTHING)]),
            ("v1", [row("Thing", "things", "Namespaced", *EVERYTHING)]),
        ),
        # A group whose server is away.
        group("metrics.example.com", ("v1", [{"resource": "pods", "scope": "Namespaced"}])),
    ],
}


def answer(request: httpx.Request) -> httpx.Response:
    items = ANSWERS[request.url.path]
    return httpx.Response(200, json={"kind": "APIGroupDiscoveryList", "items": items})


def resources() -> Resources:
    server = Server(answer)
    found = Resources.of(server.api)
    assert server.asked("GET") == ["/api", "/apis"]
    return found


def test_a_kind_is_found_in_the_version_that_is_asked_for() -> None:
    found = resources()
    thing = found.find("example.com/v1", "Thing")
    assert thing is not None
    assert thing.path("n", "a") == "/apis/example.com/v1/namespaces/n/things/a"
    assert thing.collection() == "/apis/example.com/v1/things"
    namespace = found.find("v1", "Namespace")
    assert namespace is not None
    assert namespace.path("", "n") == "/api/v1/namespaces/n"
    assert found.find("example.com/v3", "Thing") is None
    assert found.versions("example.com", "Thing") == ["v1", "v2"]


def test_each_kind_is_searched_once_in_the_preferred_version_and_events_never() -> None:
    names = [(one.api_version, one.kind) for one in resources().deletable()]
    assert names == [("v1", "Namespace"), ("v1", "ConfigMap"), ("example.com/v2", "Thing")]


def test_a_group_without_kinds_is_not_served() -> None:
    assert resources().serves("example.com")
    assert not resources().serves("metrics.example.com")
    assert Resource("", "v1", "Pod", "pods", namespaced=True).api_version == "v1"


def test_a_server_that_answers_in_the_old_form_is_too_old() -> None:
    server = Server(lambda _: httpx.Response(200, json={"kind": "APIVersions", "versions": ["v1"]}))
    with pytest.raises(ClusterError, match=r"is too old\. It must be Kubernetes 1\.30"):
        Resources.of(server.api)
