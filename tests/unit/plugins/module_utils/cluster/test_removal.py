# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be taken away with a platform, and what belongs to somebody else."""

from __future__ import annotations

import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import removal

from .fake_server import Server, status

_OURS = {"inferencebox.io/platform": "demo"}
_GROUP = "cert-manager.io"
_COMPONENT = removal.Component(
    "cert-manager",
    "cert-manager",
    [_GROUP],
    [{"name": "cert-manager", "namespace": "cert-manager"}],
    [{"api_version": "v1", "kind": "ConfigMap", "namespace": "*", "name": "left"}],
)
_KINDS = [("", "ConfigMap", "configmaps"), (_GROUP, "Issuer", "issuers")]


def named(name: str, **metadata: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"name": name, **metadata}}


def _discovery(groups: t.Iterable[tuple[str, str, str]]) -> dict[str, t.Any]:
    items = [
        {
            "metadata": {"name": group},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": plural,
                            "responseKind": {"kind": kind},
                            "scope": "Namespaced",
                            "verbs": ["list", "delete"],
                        }
                    ],
                }
            ],
        }
        for group, kind, plural in groups
    ]
    return {"kind": "APIGroupDiscoveryList", "items": items}


def standing(**rows: list[dict[str, t.Any]]) -> removal.Standing:
    table = {
        "/api/v1/namespaces": [
            named("cert-manager", labels=_OURS),
            named("tenant-a", labels=_OURS),
            named("default"),
        ],
        "/api/v1/namespaces/cert-manager/secrets": rows.get("releases", []),
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": rows.get("definitions", []),
        f"/apis/{_GROUP}/v1/issuers": rows.get("issuers", []),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path in ("/api", "/apis"):
            core = [row for row in _KINDS if (row[0] == "") == (path == "/api")]
            return httpx.Response(200, json=_discovery(core))
        if path in table:
            return httpx.Response(200, json={"items": table[path]})
        return status(404, "not found")

    return removal.standing(Server(answer).api, "demo", _COMPONENT)


_RELEASE = [
    named("sh.helm.release.v1.cert-manager.v1", labels={"owner": "helm", "name": "cert-manager"})
]
_HELM = {
    "meta.helm.sh/release-name": "cert-manager",
    "meta.helm.sh/release-namespace": "cert-manager",
}
_DEFINITION = f"issuers.{_GROUP}"


def test_what_is_not_there_has_nothing_to_go() -> None:
    assert standing() == removal.Standing(False, [], [], [])


def test_its_release_and_what_the_release_leaves() -> None:
    found = standing(releases=_RELEASE, definitions=[named(_DEFINITION, annotations=_HELM)])
    assert found.present
    assert found.users == []
    assert found.releases == [{"name": "cert-manager", "namespace": "cert-manager"}]
    assert [(row["kind"], row["namespace"], row["name"]) for row in found.objects] == [
        ("ConfigMap", "cert-manager", "left"),
        ("ConfigMap", "tenant-a", "left"),
        ("ConfigMap", "default", "left"),
        ("CustomResourceDefinition", "", _DEFINITION),
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": {**_HELM, "meta.helm.sh/release-namespace": "elsewhere"}},
        {"labels": {"inferencebox.io/platform": "other"}},
    ],
)
def test_definitions_of_others_stay(metadata: dict[str, t.Any]) -> None:
    found = standing(definitions=[named(_DEFINITION, **metadata)])
    assert found == removal.Standing(False, [], [], [])


def test_what_the_platform_applied_is_pruned_and_not_removed_here() -> None:
    found = standing(definitions=[named(_DEFINITION, labels=_OURS)])
    assert found.present
    assert all(row["kind"] != "CustomResourceDefinition" for row in found.objects)


def test_who_else_uses_it_is_named() -> None:
    issuers = [
        named("theirs", namespace="default"),
        named("ours", namespace="default", labels=_OURS),
        named("inside", namespace="tenant-a"),
        named("charted", namespace="default", annotations={**_HELM}),
    ]
    assert standing(releases=_RELEASE, issuers=issuers).users == ["Issuer default/theirs"]


def test_many_users_are_counted() -> None:
    issuers = [named(f"i{number}", namespace="default") for number in range(5)]
    users = standing(releases=_RELEASE, issuers=issuers).users
    assert users == ["Issuer default/i0", "Issuer default/i1", "Issuer default/i2", "2 more"]
