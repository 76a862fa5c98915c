# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How an object of the platform begins: its kind, its name and whose it is."""

from __future__ import annotations

from typing import Any

from ..inventory import Platform
from . import naming

# One Kubernetes object as plain data, ready for YAML and JSON.
Object = dict[str, Any]


class Maker:
    """Makes objects of one owner: the platform itself, or one of its tenants."""

    def __init__(self, platform: Platform, tenant: str = "", *, namespace: str = "") -> None:
        """Make objects for `platform`.

        Args:
            platform: The platform.
            tenant: Name of the tenant that owns them; empty for the platform's own.
            namespace: Where they are; the owner's namespace where it is empty.
        """
        self.platform = platform
        self.tenant = tenant
        self.namespace = namespace or tenant or platform.cluster.namespace

    def namespaced(
        self,
        kind: str,
        name: str,
        body: Object,
        *,
        model: str = "",
        labels: dict[str, str] | None = None,
        annotations: dict[str, str] | None = None,
    ) -> Object:
        """Make an object in the owner's namespace.

        Args:
            kind: Its API version and kind: "v1 Service", "apps/v1 Deployment".
            name: Its name.
            body: What stands beside its metadata: ``{"spec": ...}``.
            model: Name of the model it belongs to.
            labels: Labels beside the platform's own.
            annotations: Annotations; none are written where it is empty.
        """
        made = self.cluster_wide(
            kind, name, body, model=model, labels=labels, annotations=annotations
        )
        metadata = {"name": name, "namespace": self.namespace, **made["metadata"]}
        return {**made, "metadata": metadata}

    def cluster_wide(
        self,
        kind: str,
        name: str,
        body: Object,
        *,
        model: str = "",
        labels: dict[str, str] | None = None,
        annotations: dict[str, str] | None = None,
    ) -> Object:
        """Make an object without a namespace; arguments as for `namespaced`."""
        api_version, _, kind = kind.partition(" ")
        own = naming.labels(self.platform, self.tenant, model)
        metadata: Object = {"name": name, "labels": {**own, **(labels or {})}}
        if annotations:
            metadata["annotations"] = annotations
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
