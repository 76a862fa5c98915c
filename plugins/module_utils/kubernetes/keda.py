# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KEDA on a node of plain binaries: what is laid over its manifests, and how it may ask Prometheus.

Elsewhere its chart is installed, which is in no Go module.
"""

from __future__ import annotations

from ..catalogue import train
from ..inventory import NAMESPACES, Model, Platform
from . import images, naming
from .objects import Maker, Object
from .runtimes import CONTAINER_SECURITY, POD_SECURITY
from .system import restricted_pods

_OPERATOR, _ADAPTER = "keda-operator", "keda-metrics-apiserver"
# Upstream's images have this user.
_USER = 1000


def is_needed(platform: Platform) -> bool:
    """Whether it scales a model."""
    return any(model.serving.scaled_by == "keda" for model in platform.models)


def from_zero(platform: Platform) -> list[Model]:
    """The models that it starts when somebody asks for them."""
    return [
        model
        for model in platform.models
        if model.serving.scaled_by == "keda" and model.serving.replicas.min == 0
    ]


def overlay(platform: Platform) -> list[Object]:
    """Make what is laid over KEDA's manifests, and stands beside them.

    Its operator has an identity of the mesh, with which it asks Prometheus; nothing else of it passes the sidecar. What
    it serves demands certificates of its own (port 9666), or says whether it is well (8081).
    """
    run, adapt = (
        images.address(platform, one)
        for one in train(platform.train).components["keda"].published_images[:2]
    )
    certificates = {"name": "certificates", "mountPath": "/certs", "readOnly": True}
    operator = _container(
        _OPERATOR,
        run,
        [
            "--leader-elect",
            "--zap-log-level=info",
            "--zap-encoder=console",
            "--zap-time-encoding=rfc3339",
            "--enable-cert-rotation=true",
            "--metrics-bind-address=0",
        ],
        [certificates],
    )
    operator |= {
        "command": ["/keda"],
        "readinessProbe": _probe("/readyz", 8081, "HTTP"),
        "livenessProbe": {**_probe("/healthz", 8081, "HTTP"), "initialDelaySeconds": 25},
    }
    adapter = _container(
        _ADAPTER,
        adapt,
        [
            "--secure-port=6443",
            "--zap-log-level=error",
            "--client-ca-file=/certs/ca.crt",
            "--tls-cert-file=/certs/tls.crt",
            "--tls-private-key-file=/certs/tls.key",
            "--cert-dir=/certs",
        ],
        [certificates, {"name": "temp-vol", "mountPath": "/tmp"}],  # noqa: S108 - a volume of its own
    )
    adapter |= {
        "command": ["/keda-adapter"],
        "ports": [{"name": "https", "containerPort": 6443}],
        "readinessProbe": _probe("/readyz", 6443, "HTTPS"),
        "livenessProbe": {**_probe("/healthz", 6443, "HTTPS"), "initialDelaySeconds": 25},
    }
    make = Maker(platform, namespace=NAMESPACES["keda"])
    asks = {
        "host": naming.PROMETHEUS_HOST,
        "exportTo": ["."],
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
    }
    return [
        make.cluster_wide("v1 Namespace", NAMESPACES["keda"], {}, labels=restricted_pods()),
        _deployment(make, _OPERATOR, operator, mesh=True),
        _deployment(make, _ADAPTER, adapter, mesh=False),
        make.namespaced("networking.istio.io/v1 DestinationRule", "prometheus", {"spec": asks}),
    ]


def allowed(platform: Platform) -> list[Object]:
    """Let it ask Prometheus, which nobody else may."""
    source = {"principals": [naming.principal(NAMESPACES["keda"], _OPERATOR)]}
    spec = {
        "selector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        "action": "ALLOW",
        "rules": [
            {
                "from": [{"source": source}],
                "to": [{"operation": {"ports": [str(naming.PROMETHEUS_PORT)]}}],
            }
        ],
    }
    make = Maker(platform, namespace=NAMESPACES["monitoring"])
    return [make.namespaced("security.istio.io/v1 AuthorizationPolicy", "keda", {"spec": spec})]


def _deployment(make: Maker, name: str, container: Object, *, mesh: bool) -> Object:
    metadata: Object = {"labels": {"sidecar.istio.io/inject": str(mesh).lower()}}
    if mesh:
        metadata["annotations"] = {
            "traffic.sidecar.istio.io/includeInboundPorts": "",
            "traffic.sidecar.istio.io/includeOutboundIPRanges": "",
            "traffic.sidecar.istio.io/includeOutboundPorts": str(naming.PROMETHEUS_PORT),
        }
    security = {**POD_SECURITY, "runAsUser": _USER, "runAsGroup": _USER}
    template = {
        "metadata": metadata,
        "spec": {"securityContext": security, "containers": [container]},
    }
    return make.namespaced("apps/v1 Deployment", name, {"spec": {"template": template}})


def _container(name: str, image: str, arguments: list[str], mounts: list[Object]) -> Object:
    environment: list[Object] = [
        {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "WATCH_NAMESPACE", "value": ""},
    ]
    return {
        "name": name,
        "image": image,
        "args": arguments,
        "env": environment,
        "resources": {
            "requests": {"cpu": "20m", "memory": "64Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": mounts,
    }


def _probe(path: str, port: int, scheme: str) -> Object:
    return {"httpGet": {"path": path, "port": port, "scheme": scheme}, "initialDelaySeconds": 5}
