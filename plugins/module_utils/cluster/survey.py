# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a cluster can take a platform: one sentence for each reason why not, before anything changes.

Only reads. What is demanded comes as plain data; this module knows clusters, not inventories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import RefusedError
from .api import Api
from .objects import PLATFORM

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_HELM_NAME, _HELM_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
# What gives Services of type LoadBalancer their addresses where no cloud does, by the definitions that come with it.
_ADDRESS_GROUPS = ("metallb.io", "purelb.io")
_ADDRESS_KINDS = ("ciliumloadbalancerippools.cilium.io",)
_ADDRESS_DAEMONS = ("kube-vip",)
# Nodes that no cloud made; k3s brings what gives addresses with it.
_NO_CLOUD = ("kind://",)
# What only somebody who may everything can do, and what every install does.
_RIGHTS = (
    ("", "namespaces"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
)


@dataclass(frozen=True)
class Component:
    """A component that the platform needs.

    Attributes:
        name: Its name in the release train.
        provided: It is said to be there already.
        needed_for: What needs it, as the rest of a sentence.
        groups: API groups whose definitions it owns.
        namespace: Where it is installed; empty for what is cluster-wide.
        releases: Names of its Helm releases.
    """

    name: str
    provided: bool
    needed_for: str
    groups: Sequence[str]
    namespace: str
    releases: Sequence[str]


@dataclass(frozen=True)
class Demands:
    """What a platform demands of its cluster.

    Attributes:
        platform: Name of the platform.
        train: Name of its release train.
        kubernetes: Lowest and highest minor version of Kubernetes that the train runs on.
        helm: The same for Helm.
        architectures: Processors for which there are images.
        components: What it needs.
        namespaces: Namespaces of the platform and its tenants, with the setting that names each.
        service_type: How its edge is reached.
        storage_class: StorageClass of its volumes; empty for the cluster's default.
        stores: Whether it has volumes at all.
    """

    platform: str
    train: str
    kubernetes: tuple[str, str]
    helm: tuple[str, str]
    architectures: Sequence[str]
    components: Sequence[Component]
    namespaces: Mapping[str, str]
    service_type: str
    storage_class: str
    stores: bool

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Demands:
        """Read the demands as the filter writes them.

        Raises:
            TypeError: A key is missing or unknown.
        """
        components = [Component(**one) for one in data["components"]]
        ranges = {key: tuple(data[key]) for key in ("kubernetes", "helm")}
        return cls(**{**data, **ranges, "components": components})


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        version: Release of the API server.
        problems: Why the platform cannot be installed; empty when it can.
        warnings: What a person should know.
    """

    version: str
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def survey(api: Api, demands: Demands, helm: str | None) -> Survey:
    """Look at a cluster.

    Args:
        api: The cluster.
        demands: What is demanded of it.
        helm: Version of Helm on this machine; None where there is none.

    Raises:
        ClusterError: The cluster cannot be reached.
    """
    version = str(api.get("/version")["gitVersion"])
    found = _Cluster(api)
    nodes = found.all("/api/v1/nodes")
    problems = [
        *_versions(demands, version, helm),
        *_rights(api),
        *_architectures(demands, nodes),
        *_foreign_namespaces(demands, found),
        *_definitions(demands, found),
        *_storage(demands, found),
        *_load_balancer(demands, found, nodes),
    ]
    odd = _archs(nodes) - set(demands.architectures)
    warnings = [*api.warnings]
    if odd and not problems:
        warnings.append(
            f"nodes of architecture {_listed(odd)} get no pods that start: there are images for "
            f"{_listed(demands.architectures)} alone"
        )
    return Survey(version, problems, warnings)


class _Cluster:
    """Lists of a cluster, each read once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kept: dict[str, list[dict[str, Any]]] = {}

    def all(self, path: str, *, metadata_only: bool = False) -> list[dict[str, Any]]:
        """All objects of a collection; none where it is not served, or not to be seen."""
        if path not in self._kept:
            try:
                self._kept[path] = list(
                    self._api.list_all(path, "", metadata_only=metadata_only, patient=False)
                )
            except RefusedError as error:
                if error.code not in (403, 404):
                    raise
                self._kept[path] = []
        return self._kept[path]

    def definitions(self) -> list[dict[str, Any]]:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        return [one["metadata"] for one in self.all(path, metadata_only=True)]

    def namespaces(self) -> dict[str, dict[str, str]]:
        """Labels of each namespace."""
        return {
            one["metadata"]["name"]: one["metadata"].get("labels") or {}
            for one in self.all("/api/v1/namespaces", metadata_only=True)
        }

    def releases(self, namespace: str) -> set[str]:
        """Names of the Helm releases in a namespace."""
        path = f"/api/v1/namespaces/{namespace}/secrets"
        labels = [one["metadata"].get("labels") or {} for one in self.all(path, metadata_only=True)]
        return {found["name"] for found in labels if found.get("owner") == "helm"}


def _versions(demands: Demands, version: str, helm: str | None) -> Iterator[str]:
    if not _within(version, demands.kubernetes):
        yield (
            f"The cluster runs Kubernetes {version}, and release train {demands.train} runs on "
            f"{' to '.join(demands.kubernetes)}: upgrade the cluster, or choose another platform_train."
        )
    wanted = " to ".join(demands.helm)
    if helm is None:
        yield f"There is no helm on this machine: install one of version {wanted}."
    elif not _within(helm, demands.helm):
        yield f"helm on this machine is {helm}: install one of version {wanted}."


def _within(version: str, bounds: tuple[str, str]) -> bool:
    """Compare major and minor; what clouds append to the rest does not count."""
    found, lowest, highest = (_minor(one) for one in (version, *bounds))
    return lowest <= found <= highest


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.removeprefix("v").split(".")[:2]
    return int(major), int(minor)


def _rights(api: Api) -> Iterator[str]:
    missing = [
        resource
        for group, resource in _RIGHTS
        if not api.may({"group": group, "resource": resource, "verb": "create"})
    ]
    if missing:
        yield (
            f"The kubeconfig's user may not create {_listed(missing)}: use one that may administer "
            "the cluster."
        )


def _archs(nodes: Sequence[Mapping[str, Any]]) -> set[str]:
    labels = [node["metadata"].get("labels") or {} for node in nodes]
    return {found["kubernetes.io/arch"] for found in labels if "kubernetes.io/arch" in found}


def _architectures(demands: Demands, nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    found = _archs(nodes)
    if found and not found & set(demands.architectures):
        yield (
            f"All nodes are {_listed(found)}, and there are images for "
            f"{_listed(demands.architectures)} alone: add nodes of these."
        )


def _foreign_namespaces(demands: Demands, cluster: _Cluster) -> Iterator[str]:
    present = cluster.namespaces()
    provided = {one.namespace for one in demands.components if one.provided} - {""}
    wanted = {one.namespace: one for one in demands.components if not one.provided}
    for name in sorted(provided - present.keys()):
        said = [one.name for one in demands.components if one.provided and one.namespace == name]
        yield (
            f"platform_cluster.provided names {_listed(said)}, but there is no namespace {name}: install "
            "it there, or leave it out."
        )
    for name, component in wanted.items():
        if name in present.keys() - provided and not _ours(demands, present[name]):
            yield (
                f"Namespace {name} is there already, and not of this platform: list {component.name} "
                "in platform_cluster.provided, or "
                f"{_adopt(demands, name)}."
            )
    for name, setting in demands.namespaces.items():
        if name in present and not _ours(demands, present[name]):
            yield (
                f"{setting}: namespace {name} is there already, and not of this platform: use another "
                f"name, or {_adopt(demands, name)}."
            )


def _adopt(demands: Demands, namespace: str) -> str:
    return (
        f"give it to the platform, which will remove it at its end, by the label {PLATFORM}="
        f"{demands.platform} (kubectl label namespace {namespace} ...)"
    )


def _ours(demands: Demands, labels: Mapping[str, str]) -> bool:
    return labels.get(PLATFORM) == demands.platform


def _definitions(demands: Demands, cluster: _Cluster) -> Iterator[str]:
    by_group: dict[str, list[dict[str, Any]]] = {}
    for one in cluster.definitions():
        by_group.setdefault(one["name"].partition(".")[2], []).append(one)
    for component in demands.components:
        if component.provided:
            missing = [group for group in component.groups if group not in by_group]
            if missing:
                yield (
                    f"platform_cluster.provided names {component.name}, but the cluster does not serve "
                    f"{_listed(missing)}, which {component.needed_for}: install it, or leave it out there."
                )
            continue
        for group in component.groups:
            foreign = {
                owner
                for one in by_group.get(group, [])
                if (owner := _foreign_owner(demands, component, cluster, one))
            }
            if foreign:
                yield (
                    f"The definitions of {group} belong to {_listed(foreign)}: list {component.name} in "
                    "platform_cluster.provided to use them, or remove them."
                )


def _foreign_owner(
    demands: Demands, component: Component, cluster: _Cluster, definition: Mapping[str, Any]
) -> str:
    """Who made a definition; empty where this platform did."""
    labels = definition.get("labels") or {}
    annotations = definition.get("annotations") or {}
    if PLATFORM in labels:
        return "" if _ours(demands, labels) else f"platform {labels[PLATFORM]}"
    home = cluster.namespaces().get(component.namespace, {})
    if _HELM_NAME in annotations:
        name, place = annotations[_HELM_NAME], annotations.get(_HELM_NAMESPACE, "")
        known = name in component.releases and place == component.namespace
        return "" if known and _ours(demands, home) else f"Helm release {place}/{name}"
    # A chart's folder `crds` carries no marks of its release.
    if _ours(demands, home) and cluster.releases(component.namespace) & set(component.releases):
        return ""
    managers = [row.get("manager", "") for row in definition.get("managedFields") or []]
    return next((f"whoever applied them as {name}" for name in managers if name), "somebody else")


def _storage(demands: Demands, cluster: _Cluster) -> Iterator[str]:
    if not demands.stores:
        return
    classes = {
        one["metadata"]["name"]: one["metadata"].get("annotations") or {}
        for one in cluster.all("/apis/storage.k8s.io/v1/storageclasses", metadata_only=True)
    }
    known = _listed(classes) or "none"
    if demands.storage_class and demands.storage_class not in classes:
        yield (
            f"platform_cluster.storage_class: there is no StorageClass {demands.storage_class}; there "
            f"are: {known}."
        )
    if not demands.storage_class and not any(
        annotations.get(_DEFAULT_CLASS) == "true" for annotations in classes.values()
    ):
        yield (
            "The cluster has no default StorageClass, and the counters of limits need a volume: name "
            f"one in platform_cluster.storage_class; there are: {known}."
        )


def _load_balancer(
    demands: Demands, cluster: _Cluster, nodes: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    if demands.service_type != "LoadBalancer":
        return
    balanced = (
        (one.get("status") or {}).get("loadBalancer", {}).get("ingress")
        for one in cluster.all("/api/v1/services")
        if one.get("spec", {}).get("type") == "LoadBalancer"
    )
    providers = [(node.get("spec") or {}).get("providerID", "") for node in nodes]
    cloud = any(each and not each.startswith(_NO_CLOUD) for each in providers)
    names = [one["name"] for one in cluster.definitions()]
    giver = any(
        name.partition(".")[2] in _ADDRESS_GROUPS or name in _ADDRESS_KINDS for name in names
    )
    daemons = cluster.all("/apis/apps/v1/daemonsets", metadata_only=True)
    giver |= any(one["metadata"]["name"].startswith(_ADDRESS_DAEMONS) for one in daemons)
    if not (cloud or giver or any(balanced)):
        yield (
            "platform_cluster.service_type LoadBalancer: nothing here gives addresses to Services (no node "
            "is of a cloud, no Service has an address, and neither MetalLB, kube-vip, PureLB nor Cilium's "
            "pools are there): install one of them, or use NodePort."
        )


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
