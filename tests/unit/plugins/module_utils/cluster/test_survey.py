# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of clusters that cannot take a platform: one sentence for each reason."""

from __future__ import annotations

import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import survey

from .fake_server import Server, body, status

Rows = dict[str, list[dict[str, t.Any]]]

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
_OURS = {"inferencebox.io/platform": "demo"}


def named(name: str, **metadata: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"name": name, **metadata}}


def node(name: str, architecture: str, provider: str = "aws:///z/i-1") -> dict[str, t.Any]:
    labels = {"kubernetes.io/arch": architecture}
    return {**named(name, labels=labels), "spec": {"providerID": provider}}


GOOD: Rows = {
    "/api/v1/nodes": [node("one", "amd64")],
    "/api/v1/namespaces": [named("default")],
    _CLASSES: [named("standard", annotations=_DEFAULT)],
}


def demands(**changes: t.Any) -> survey.Demands:
    component = {
        "name": "kserve",
        "provided": False,
        "needed_for": "model iris needs to be served",
        "groups": ["serving.kserve.io"],
        "namespace": "kserve",
        "releases": ["kserve-crd", "kserve"],
    }
    data: dict[str, t.Any] = {
        "platform": "demo",
        "train": "2026.11",
        "kubernetes": ["1.34", "1.36"],
        "helm": ["3.14", "3.22"],
        "architectures": ["amd64", "arm64"],
        "components": [{**component, **changes.pop("component", {})}],
        "namespaces": {"tenant-a": "tenants[0].name"},
        "service_type": "LoadBalancer",
        "storage_class": "",
        "stores": True,
    }
    return survey.Demands.of({**data, **changes})


def look(
    rows: Rows | None = None,
    wanted: survey.Demands | None = None,
    version: str = "v1.35.4",
    helm: str | None = "v3.22.0",
    forbidden: t.Collection[str] = (),
) -> survey.Survey:
    table = {**GOOD, **(rows or {})}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/version":
            return httpx.Response(200, json={"gitVersion": version})
        if path.endswith("selfsubjectaccessreviews"):
            asked = body(request)["spec"]["resourceAttributes"]["resource"]
            return httpx.Response(201, json={"status": {"allowed": asked not in forbidden}})
        if path in table:
            return httpx.Response(200, json={"items": table[path]})
        return status(404, "not found")

    return survey.survey(Server(answer).api, wanted or demands(), helm)


def test_a_cluster_that_can_take_it() -> None:
    assert look() == survey.Survey("v1.35.4")


def _crd(**metadata: t.Any) -> Rows:
    return {_CRDS: [named("inferenceservices.serving.kserve.io", **metadata)]}


def _release(name: str, place: str) -> dict[str, str]:
    return {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": place}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            "runs Kubernetes v1.33.9, and release train 2026.11 runs on 1.34 to 1.36",
            {"version": "v1.33.9"},
        ),
        ("runs Kubernetes v1.37.1-eks-1", {"version": "v1.37.1-eks-1"}),
        ("There is no helm on this machine: install one of version 3.14 to 3.22", {"helm": None}),
        ("helm on this machine is v4.3.1", {"helm": "v4.3.1"}),
        ("may not create clusterroles", {"forbidden": ["clusterroles"]}),
        ("All nodes are s390x", {"rows": {"/api/v1/nodes": [node("one", "s390x")]}}),
        ("Namespace kserve is there already", {"rows": {"/api/v1/namespaces": [named("kserve")]}}),
        (
            "tenants[0].name: namespace tenant-a is there already",
            {
                "rows": {
                    "/api/v1/namespaces": [
                        named("tenant-a", labels={"inferencebox.io/platform": "x"})
                    ]
                }
            },
        ),
        ("belong to platform other", {"rows": _crd(labels={"inferencebox.io/platform": "other"})}),
        (
            "belong to Helm release models/kserve-crd",
            {"rows": _crd(annotations=_release("kserve-crd", "models"))},
        ),
        (
            "belong to whoever applied them as kubectl",
            {"rows": _crd(managedFields=[{"manager": "kubectl"}])},
        ),
        ("no default StorageClass", {"rows": {_CLASSES: [named("slow")]}}),
        (
            "there is no StorageClass fast; there are: standard",
            {"wanted": demands(storage_class="fast")},
        ),
        (
            "nothing here gives addresses to Services",
            {"rows": {"/api/v1/nodes": [node("one", "amd64", "kind://docker/a/b")]}},
        ),
        (
            "provided names kserve, but the cluster does not serve serving.kserve.io, which model iris",
            {
                "wanted": demands(component={"provided": True}),
                "rows": {"/api/v1/namespaces": [named("kserve")]},
            },
        ),
        (
            "provided names kserve, but there is no namespace kserve",
            {"wanted": demands(component={"provided": True}), "rows": _crd()},
        ),
    ],
)
def test_one_sentence_says_what_is_wrong(said: str, found: dict[str, t.Any]) -> None:
    problems = look(**found).problems
    assert len(problems) == 1
    assert said in problems[0]
    assert problems[0].endswith(".")


def test_all_problems_are_told_at_once() -> None:
    rows = {"/api/v1/nodes": [node("one", "s390x")], _CLASSES: []}
    assert len(look(rows, version="v1.33.0", helm=None).problems) == 4


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (_crd(labels=_OURS), "applied by the platform"),
        (_crd(annotations=_release("kserve-crd", "kserve")), "of its release"),
        (
            _crd()
            | {
                "/api/v1/namespaces/kserve/secrets": [
                    named("s", labels={"owner": "helm", "name": "kserve"})
                ]
            },
            "of a chart's folder that marks nothing",
        ),
    ],
)
def test_its_own_definitions_are_no_problem(rows: Rows, name: str) -> None:
    home = {"/api/v1/namespaces": [named("kserve", labels=_OURS), named("tenant-a", labels=_OURS)]}
    assert look(rows | home).problems == [], name


@pytest.mark.parametrize(
    "rows",
    [
        {"/api/v1/nodes": [node("one", "amd64", "k3s://one")]},
        {_CRDS: [named("ipaddresspools.metallb.io")]},
        {_CRDS: [named("ciliumloadbalancerippools.cilium.io")]},
        {"/apis/apps/v1/daemonsets": [named("kube-vip-ds")]},
        {
            "/api/v1/services": [
                {
                    **named("web"),
                    "spec": {"type": "LoadBalancer"},
                    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
                }
            ]
        },
    ],
)
def test_what_gives_addresses(rows: Rows) -> None:
    bare = {"/api/v1/nodes": [node("one", "amd64", "")]}
    assert look(bare).problems
    assert look(bare | rows).problems == []


def test_nodes_that_get_no_pods_are_a_warning() -> None:
    mixed = [node("one", "amd64"), node("two", "ppc64le")]
    found = look({"/api/v1/nodes": mixed})
    assert found.problems == []
    assert found.warnings == [
        "nodes of architecture ppc64le get no pods that start: there are images for amd64, arm64 alone"
    ]


def test_a_cluster_without_nodes_may_make_some() -> None:
    services = demands(service_type="ClusterIP", stores=False)
    assert look({"/api/v1/nodes": []}, services).problems == []
