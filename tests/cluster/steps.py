# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests do with a platform on a cluster, in few words."""

from __future__ import annotations

import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.synchronising import (
    Report,
    Request,
    synchronise,
)

Object = dict[str, t.Any]


class Platform:
    """Objects of one owner in a cluster."""

    def __init__(self, name: str, kubeconfig: str) -> None:
        self.name = name
        self.namespace = name
        self.kubeconfig = kubeconfig

    def apply(self, objects: t.Sequence[Object], **options: t.Any) -> Report:
        """Apply objects as the module does."""
        return synchronise(Request(objects, self.name, kubeconfig=self.kubeconfig, **options))

    def remove(self) -> None:
        """Remove all that it has. Its namespace takes the server some seconds more, which nobody waits for."""
        report = self.apply([], prune=True, prune_definitions=True)
        assert not report.problem, report.problem

    def space(self) -> Object:
        """Its namespace."""
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}

    def config(self, name: str = "settings", **data: str) -> Object:
        """A ConfigMap in its namespace."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace},
            "data": data,
        }

    def secret(self, name: str = "credential", **data: str) -> Object:
        """A Secret in its namespace, values in plain text."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace},
            "stringData": data,
        }

    def deployment(self, name: str = "server", replicas: int = 1, **container: t.Any) -> Object:
        """A Deployment in its namespace, of which no controller of the tests' control plane takes care."""
        labels = {"app": name}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "containers": [{"name": "main", "image": "example.com/none:1", **container}]
                    },
                },
            },
        }

    def path(self, plural: str, name: str, group: str = "") -> str:
        """Path of an object in its namespace; `group` with its version, as ``apps/v1``."""
        root = f"/apis/{group}" if group else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}/{name}"


def statuses(report: Report) -> dict[str, str]:
    """What became of each object, by kind and name."""
    return {f"{one.key.kind} {one.key.name}": one.status for one in report.outcomes}


def homes(objects: list[Object]) -> list[Object]:
    """Make the namespaces that objects are in and that others make: of components."""
    made = {one["metadata"]["name"] for one in objects if one["kind"] == "Namespace"}
    used = {one["metadata"].get("namespace") for one in objects} - {None}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in sorted(used - made)
    ]
