# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kinds a cluster serves, and at which paths: two requests, whatever is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError
from .api import Api

# The aggregated form, stable since Kubernetes 1.30.
_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
# Records of what happened, and figures: nobody's objects, and many.
_NOT_OBJECTS = frozenset({("", "Event"), ("events.k8s.io", "Event"), ("", "ComponentStatus")})


@dataclass(frozen=True)
class Resource:
    """One kind as the cluster serves it.

    Attributes:
        group: API group; empty for the core.
        version: One served version.
        kind: Its name in objects.
        plural: Its name in paths; empty where the cluster does not serve it yet.
        namespaced: Whether its objects live in namespaces.
        verbs: What may be done with it, ``list`` say.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        """Group and version, as objects have it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def collection(self, namespace: str = "") -> str:
        """Path of all objects, or of those in one namespace."""
        root = f"/apis/{self.group}" if self.group else "/api"
        place = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}/{self.version}{place}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        """Path of one object."""
        return f"{self.collection(namespace)}/{name}"


class Resources:
    """The kinds of a cluster, to which those of CRDs that are about to be applied can be added."""

    def __init__(self, resources: Mapping[tuple[str, str], Resource]) -> None:
        self._known = dict(resources)

    @classmethod
    def of(cls, api: Api) -> Resources:
        """Ask the cluster.

        Raises:
            ClusterError: The cluster cannot be asked, or does not answer in this form.
        """
        known: dict[tuple[str, str], Resource] = {}
        for root in ("/api", "/apis"):
            answer = api.get(root, accept=_ACCEPT)
            if answer.get("kind") != "APIGroupDiscoveryList":
                raise ClusterError(
                    f"the API server {api.server} is too old",
                    "It must be Kubernetes 1.30 or newer.",
                )
            for resource in _read(answer):
                known[resource.api_version, resource.kind] = resource
        return cls(known)

    def find(self, api_version: str, kind: str) -> Resource | None:
        """Return the kind in exactly this version, or None where the cluster does not serve it."""
        return self._known.get((api_version, kind))

    def serves(self, group: str) -> bool:
        """Whether the cluster serves any kind of a group."""
        return any(resource.group == group for resource in self._known.values())

    def versions(self, group: str, kind: str) -> list[str]:
        """The versions in which the cluster serves a kind."""
        found = [r.version for r in self._known.values() if (r.group, r.kind) == (group, kind)]
        return sorted(found)

    def add_definition(self, crd: Mapping[str, Any]) -> None:
        """Add the kind that a CustomResourceDefinition makes, in each version that it serves."""
        spec = crd["spec"]
        for version in spec["versions"]:
            if version.get("served"):
                resource = Resource(
                    spec["group"],
                    version["name"],
                    spec["names"]["kind"],
                    spec["names"]["plural"],
                    spec["scope"] == "Namespaced",
                    frozenset({"list", "delete"}),
                )
                self._known[resource.api_version, resource.kind] = resource

    def deletable(self) -> list[Resource]:
        """Each kind whose objects can be listed and deleted, once, in the version that the server prefers."""
        seen: dict[tuple[str, str], Resource] = {}
        for resource in self._known.values():
            identity = (resource.group, resource.kind)
            if identity not in _NOT_OBJECTS and {"list", "delete"} <= resource.verbs:
                seen.setdefault(identity, resource)
        return list(seen.values())


def _read(answer: Mapping[str, Any]) -> Iterator[Resource]:
    for group in answer.get("items") or []:
        name = group.get("metadata", {}).get("name", "")
        for version in group["versions"]:
            for row in version.get("resources") or []:
                # One whose server is away has no kind.
                if kind := (row.get("responseKind") or {}).get("kind"):
                    yield Resource(
                        name,
                        version["version"],
                        kind,
                        row["resource"],
                        row["scope"] == "Namespaced",
                        frozenset(row.get("verbs") or ()),
                    )
