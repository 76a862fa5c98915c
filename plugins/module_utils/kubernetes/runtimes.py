# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Serving runtimes that the platform brings itself, and how files from Python packages get into a pod.

KServe's own ClusterServingRuntimes come with its chart. Added to them: llama.cpp's server for GGUF files, and
the project's server on KServe's SDK, for those who want the same model server on a cluster as on one machine.
"""

from __future__ import annotations

import typing as t

from ..inventory import Model, Platform
from ..serving.upstreams import (
    CLUSTER_RUNTIMES,
    LLAMACPP,
    PREDICTIVE,
    ClusterRuntime,
    cluster_runtime,
)
from . import naming
from .objects import Maker, Object

HTTP_PORT = 8080

# What every container of a model may do: nothing but serve. It is what Pod Security "restricted" asks for.
CONTAINER_SECURITY: t.Mapping[str, t.Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
POD_SECURITY: t.Mapping[str, t.Any] = {
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# "nobody", as images of Prometheus' projects and of Jaeger have it.
NOBODY = 65534
# Of a pod whose volume belongs to it.
NOBODY_SECURITY: t.Mapping[str, t.Any] = {
    **POD_SECURITY,
    "runAsUser": NOBODY,
    "runAsGroup": NOBODY,
    "fsGroup": NOBODY,
}


def runtime_of(model: Model) -> ClusterRuntime:
    """The ServingRuntime of a model."""
    return cluster_runtime(model.framework, model.runtime, model.publish.apis)


def serving_runtimes(platform: Platform) -> list[Object]:
    """ServingRuntimes of ours, in each namespace whose models use them."""
    used = {(model.tenant, runtime_of(model).name) for model in platform.models}
    return [
        _runtime(platform, tenant.name, CLUSTER_RUNTIMES[name])
        for tenant in platform.tenants
        for name in (LLAMACPP, PREDICTIVE)
        if (tenant.name, name) in used
    ]


def readiness(runtime: ClusterRuntime, name: str) -> Object:
    """Probe that a server of ours is ready.

    Args:
        runtime: Its runtime.
        name: Under which name it serves the model.
    """
    path = runtime.health_path.format(name=name)
    return {"httpGet": {"path": path, "port": HTTP_PORT}, "periodSeconds": 2}


def _runtime(platform: Platform, tenant: str, runtime: ClusterRuntime) -> Object:
    spec: Object = {
        "annotations": {
            "prometheus.kserve.io/port": str(HTTP_PORT),
            "prometheus.kserve.io/path": "/metrics",
        },
        "supportedModelFormats": [
            # Chosen by name only: nobody else's model lands here by its format.
            {"name": runtime.model_format, "version": runtime.format_version, "autoSelect": False}
        ],
        "protocolVersions": [api for api in ("v1", "v2") if api in runtime.prefixes] or ["v1"],
        "containers": [
            {
                "name": "kserve-container",
                "image": platform.cluster.runtime_image,
                "args": [
                    "serve",
                    "--name={{.Name}}",
                    # The sidecar and the kubelet come to the pod's own address.
                    "--address=0.0.0.0",
                    f"--port={HTTP_PORT}",
                ],
                # Named by protocol, or the mesh takes what it carries for plain TCP.
                "ports": [{"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"}],
                "readinessProbe": readiness(runtime, "{{.Name}}"),
                # Tier 2 learns that it goes before it does.
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    return Maker(platform, tenant).namespaced(
        "serving.kserve.io/v1alpha1 ServingRuntime", runtime.name, {"spec": spec}
    )


def storage_containers(platform: Platform) -> list[Object]:
    """How KServe fetches ``python://`` sources: from the packages inside the platform's own image."""
    sources = (
        source
        for model in platform.models
        for source in (model.source, *(other.source for other in model.versions))
    )
    if not any(source.startswith("python://") for source in sources):
        return []
    spec: Object = {
        "container": {
            "name": "storage-initializer",
            "image": platform.cluster.runtime_image,
            # KServe gives source and target as arguments, which arguments of ours would replace.
            "command": ["python", "-m", "inferencebox.serving.pod", "fetch"],
            "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
            "resources": {
                "requests": {"cpu": "100m", "memory": "100Mi"},
                "limits": {"cpu": "1", "memory": "1Gi"},
            },
        },
        "supportedUriFormats": [{"prefix": "python://"}],
        "workloadType": "initContainer",
    }
    return [
        Maker(platform).cluster_wide(
            "serving.kserve.io/v1alpha1 ClusterStorageContainer",
            naming.cluster_wide(platform, "python"),
            {"spec": spec},
        )
    ]
