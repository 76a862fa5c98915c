# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an uninstalled component leaves, and who else uses it: nothing that somebody else has is taken away.

A component is asked about before it goes: whether its definitions are this platform's can only be told while its
releases are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError, RefusedError
from . import waiting
from .api import Api
from .discovery import Resource, Resources
from .objects import PLATFORM, Key, key_of

_HELM_NAME, _HELM_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_CRD_VERSION, _CRD_KIND = "apiextensions.k8s.io/v1", "CustomResourceDefinition"
_EVERYWHERE = "*"
_NAMED_USERS = 3


@dataclass(frozen=True)
class Component:
    """A component that may have to go.

    Attributes:
        name: Its name in the release train.
        namespace: Where it is installed; empty for what is cluster-wide.
        groups: API groups of its definitions.
        releases: Its Helm releases, rows with name and namespace.
        leftovers: What its controllers made elsewhere: rows with api_version, kind, namespace and name.
    """

    name: str
    namespace: str
    groups: Sequence[str]
    releases: Sequence[Mapping[str, str]]
    leftovers: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Standing:
    """How a component stands.

    Attributes:
        present: Whether anything of it is this platform's.
        users: Objects of its kinds that are of nobody here, a few by name; empty where it can go.
        releases: Its releases that are this platform's.
        objects: What is to be removed after them: definitions and leftovers, as rows.
    """

    present: bool
    users: list[str]
    releases: list[dict[str, str]]
    objects: list[dict[str, str]]


def standing(api: Api, platform: str, component: Component) -> Standing:
    """Look at a component.

    Args:
        api: The cluster.
        platform: Name of the platform that is to go.
        component: The component.

    Raises:
        ClusterError: The cluster cannot be reached.
    """
    resources = Resources.of(api)
    own = _own_namespaces(api, platform)
    releases = [
        dict(row)
        for row in component.releases
        if row["namespace"] in own and row["name"] in _helm_releases(api, row["namespace"])
    ]
    mine = {(row["namespace"], row["name"]) for row in releases}
    whole_home = component.namespace in own and bool(mine)
    definitions = [
        one
        for one in _metadata(api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        if one["name"].partition(".")[2] in component.groups
    ]
    owned = [one for one in definitions if _is_mine(one, platform, mine, whole_home=whole_home)]
    # Where nothing of it is ours, there is nothing to ask about.
    present = bool(owned or releases)
    users = _users(api, resources, platform, component, own) if present else []
    # What the platform applied itself is pruned with everything else that it applied.
    unlabelled = [one for one in owned if PLATFORM not in (one.get("labels") or {})]
    rows = [_row(_CRD_VERSION, _CRD_KIND, "", one["name"]) for one in unlabelled]
    leftovers = _leftovers(api, resources, component) if present else []
    return Standing(present, users, releases, [*leftovers, *rows])


def remove(
    api: Api, rows: Sequence[Mapping[str, str]], timeout: float, *, check: bool
) -> list[dict[str, str]]:
    """Remove objects, and wait until they are gone.

    Args:
        api: The cluster.
        rows: What to remove, with api_version, kind, namespace and name.
        timeout: Seconds to wait at most.
        check: Remove nothing.

    Returns:
        Those that were there.

    Raises:
        ClusterError: One cannot be removed, or is still there.
    """
    resources = Resources.of(api)
    leaving: dict[Key, Resource] = {}
    done = []
    for row in rows:
        resource = resources.find(row["api_version"], row["kind"])
        if resource is None:
            continue
        path = resource.path(row["namespace"], row["name"])
        try:
            found = api.get(path)
            api.delete(path, found["metadata"]["uid"], dry_run=check)
        except RefusedError as error:
            if error.code == 404:
                continue
            raise
        leaving[key_of(found, resource)] = resource
        done.append(dict(row))
    late = [] if check else waiting.until_gone(api, leaving, "", timeout)
    if late:
        raise ClusterError("\n".join(f"{one.key} is still there: {one.reason}" for one in late))
    return done


def _own_namespaces(api: Api, platform: str) -> set[str]:
    return {
        one["name"]
        for one in _metadata(api, "/api/v1/namespaces")
        if (one.get("labels") or {}).get(PLATFORM) == platform
    }


def _helm_releases(api: Api, namespace: str) -> set[str]:
    labels = [
        one.get("labels") or {} for one in _metadata(api, f"/api/v1/namespaces/{namespace}/secrets")
    ]
    return {found["name"] for found in labels if found.get("owner") == "helm"}


def _is_mine(
    definition: Mapping[str, Any],
    platform: str,
    releases: set[tuple[str, str]],
    *,
    whole_home: bool,
) -> bool:
    labels = definition.get("labels") or {}
    annotations = definition.get("annotations") or {}
    if PLATFORM in labels:
        return bool(labels[PLATFORM] == platform)
    if _HELM_NAME in annotations:
        return (annotations.get(_HELM_NAMESPACE, ""), annotations[_HELM_NAME]) in releases
    # A chart's folder `crds` carries no marks of its release.
    return whole_home


def _users(
    api: Api, resources: Resources, platform: str, component: Component, own: set[str]
) -> list[str]:
    """Objects of a component's kinds that neither the platform nor one of its components made."""
    expected = {(row["kind"], row["name"]) for row in component.leftovers}
    found = []
    for resource in resources.deletable():
        if resource.group not in component.groups:
            continue
        for metadata in _metadata(api, resource.collection()):
            labels = metadata.get("labels") or {}
            annotations = metadata.get("annotations") or {}
            if not (
                labels.get(PLATFORM) == platform
                or metadata.get("namespace", "") in own
                or annotations.get(_HELM_NAMESPACE) in own
                or (resource.kind, metadata["name"]) in expected | _ISTIO_CLASSES
            ):
                found.append(str(key_of({"metadata": metadata}, resource)))
    shown = sorted(found)[:_NAMED_USERS]
    return shown if len(found) <= _NAMED_USERS else [*shown, f"{len(found) - len(shown)} more"]


# Istio makes them wherever the Gateway API is, whether somebody uses them or not.
_ISTIO_CLASSES = {("GatewayClass", "istio"), ("GatewayClass", "istio-remote")}


def _leftovers(api: Api, resources: Resources, component: Component) -> Iterator[dict[str, str]]:
    namespaces = [one["name"] for one in _metadata(api, "/api/v1/namespaces")]
    for row in component.leftovers:
        if resources.find(row["api_version"], row["kind"]) is None:
            continue
        places = namespaces if row["namespace"] == _EVERYWHERE else [row["namespace"]]
        for place in places:
            yield _row(row["api_version"], row["kind"], place, row["name"])


def _row(api_version: str, kind: str, namespace: str, name: str) -> dict[str, str]:
    return {"api_version": api_version, "kind": kind, "namespace": namespace, "name": name}


def _metadata(api: Api, path: str) -> list[dict[str, Any]]:
    try:
        return [one["metadata"] for one in api.list_all(path, "", metadata_only=True)]
    except RefusedError as error:
        if error.code in (404, 405):
            return []
        raise
