# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus on a node of plain binaries: its operator, what it may see, and who may ask it.

Elsewhere a chart brings both, with Grafana and exporters; that chart is in no Go module. The objects that say what is
measured are the same. Nothing enforces NetworkPolicies on such a node, so that the mesh's identities close Prometheus.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..catalogue import train
from ..inventory import NAMESPACES, Platform
from . import alerting, images, naming, network
from .objects import Maker, Object
from .runtimes import CONTAINER_SECURITY, NOBODY, NOBODY_SECURITY, POD_SECURITY

_OPERATOR = "prometheus-operator"
_NAME = "prometheus"
_GROUP = "monitoring.coreos.com"
_RBAC = "rbac.authorization.k8s.io"
_READ = ("get", "list", "watch")
# What says what is measured.
_MONITORS = ("podmonitors", "servicemonitors", "probes", "prometheusrules")
_RUN = ("prometheuses", "alertmanagers")


def is_own(platform: Platform) -> bool:
    """Whether the platform runs a Prometheus without the chart that ordinary clusters have it from."""
    return platform.observability.prometheus != "disabled" and platform.cluster.provider == "node"


def storage(platform: Platform) -> Object | None:
    """Say where figures are kept; None where they go with the pod."""
    if platform.cluster.storage_class is None:
        return None
    claim = {
        "storageClassName": platform.cluster.storage_class,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "20Gi"}},
    }
    return {"volumeClaimTemplate": {"spec": claim}}


def operator(platform: Platform) -> list[Object]:
    """Make the operator, with rights in the two namespaces that it works in."""
    monitoring = Maker(platform, namespace=NAMESPACES["monitoring"])
    at_home = [
        _rule(
            _GROUP, [f"{one}{part}" for one in _RUN for part in ("", "/finalizers", "/status")], "*"
        ),
        _rule(_GROUP, [*_MONITORS, "alertmanagerconfigs"], *_READ),
        _rule("apps", ["statefulsets"], "*"),
        _rule("", ["configmaps", "secrets"], "*"),
        _rule("", ["services", "services/finalizers"], "get", "create", "update", "delete"),
        _rule("", ["pods"], "list", "delete"),
    ]
    everywhere = [
        _rule("", ["namespaces"], *_READ),
        _rule("events.k8s.io", ["events"], "create", "patch"),
    ]
    return [
        monitoring.namespaced("v1 ServiceAccount", _OPERATOR, {}),
        *_granted(monitoring, _OPERATOR, at_home),
        *_granted(Maker(platform), _OPERATOR, [_rule(_GROUP, _MONITORS, *_READ)]),
        monitoring.cluster_wide(f"{_RBAC}/v1 ClusterRole", _OPERATOR, {"rules": everywhere}),
        monitoring.cluster_wide(
            f"{_RBAC}/v1 ClusterRoleBinding",
            _OPERATOR,
            {"roleRef": _reference("ClusterRole", _OPERATOR), "subjects": [_account(_OPERATOR)]},
        ),
        monitoring.namespaced("apps/v1 Deployment", _OPERATOR, {"spec": _operator_pod(platform)}),
    ]


def _operator_pod(platform: Platform) -> Object:
    labels = {"app.kubernetes.io/name": _OPERATOR}
    namespaces = (NAMESPACES["monitoring"], platform.cluster.namespace)
    run, reload = (
        images.address(platform, one)
        for one in train(platform.train).components[_OPERATOR].published_images
    )
    container: Object = {
        "name": _OPERATOR,
        "image": run,
        "args": [
            f"--prometheus-config-reloader={reload}",
            f"--namespaces={','.join(namespaces)}",
            f"--prometheus-instance-namespaces={NAMESPACES['monitoring']}",
            f"--alertmanager-instance-namespaces={NAMESPACES['monitoring']}",
            f"--alertmanager-config-namespaces={NAMESPACES['monitoring']}",
            "--kubelet-endpoints=false",
            # Nobody has to ask it anything.
            "--web.listen-address=127.0.0.1:8080",
        ],
        "resources": {
            "requests": {"cpu": "20m", "memory": "48Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
    }
    pod = {
        "serviceAccountName": _OPERATOR,
        "securityContext": {**POD_SECURITY, "runAsUser": NOBODY},
        "containers": [container],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }


def objects(platform: Platform, scraped: Sequence[str]) -> list[Object]:
    """Make a Prometheus that takes the platform's monitors and rules, and whom it answers.

    Args:
        platform: A platform that has its own.
        scraped: Namespaces in which it looks for pods and Services.
    """
    make = Maker(platform, namespace=NAMESPACES["monitoring"])
    role = naming.cluster_wide(platform, _NAME)
    sees = [
        _rule("", ["pods", "services"], *_READ),
        _rule("discovery.k8s.io", ["endpointslices"], *_READ),
    ]
    bound = {"roleRef": _reference("ClusterRole", role), "subjects": [_account(_NAME)]}
    return [
        make.namespaced("v1 ServiceAccount", _NAME, {}),
        make.cluster_wide(f"{_RBAC}/v1 ClusterRole", role, {"rules": sees}),
        *(
            Maker(platform, namespace=one).namespaced(f"{_RBAC}/v1 RoleBinding", role, bound)
            for one in scraped
        ),
        *alerting.objects(platform, _NAME),
        make.namespaced(f"{_GROUP}/v1 Prometheus", platform.name, {"spec": _prometheus(platform)}),
    ]


def _prometheus(platform: Platform) -> Object:
    found = train(platform.train).components[_NAME]
    mine: Object = {"matchLabels": naming.labels(platform)}
    home: Object = {"matchLabels": {network.NAMESPACE_NAME: platform.cluster.namespace}}
    alerts = {
        "namespace": NAMESPACES["monitoring"],
        "name": alerting.ALERTMANAGER_SERVICE,
        "port": alerting.ALERTMANAGER_PORT_NAME,
    }
    with_identity = (alerting.ALERTMANAGER_PORT, alerting.STATES_PORT)
    selectors: Object = {}
    for name in ("podMonitor", "serviceMonitor", "rule"):
        selectors |= {f"{name}Selector": mine, f"{name}NamespaceSelector": home}
    return {
        "image": images.address(platform, f"{found.image}:{found.version}"),
        "version": found.version,
        "replicas": 1,
        "serviceAccountName": _NAME,
        "podMetadata": {
            "labels": {"sidecar.istio.io/inject": "true"},
            # Its own requests go past the sidecar where what it reads is open, and has no identity.
            "annotations": {
                "traffic.sidecar.istio.io/includeOutboundIPRanges": "",
                "traffic.sidecar.istio.io/includeOutboundPorts": ",".join(map(str, with_identity)),
            },
        },
        # The mesh takes the protocol from the name.
        "portName": "http-web",
        **selectors,
        "alerting": {"alertmanagers": [alerts]},
        "serviceDiscoveryRole": "EndpointSlice",
        "arbitraryFSAccessThroughSMs": {"deny": True},
        "retention": "7d",
        "retentionSize": "1GB",
        "storage": storage(platform) or {"emptyDir": {"sizeLimit": "2Gi"}},
        "resources": {
            "requests": {"cpu": "50m", "memory": "192Mi"},
            "limits": {"memory": "1Gi"},
        },
        "securityContext": dict(NOBODY_SECURITY),
    }


def _granted(make: Maker, name: str, rules: list[Object]) -> list[Object]:
    return [
        make.namespaced(f"{_RBAC}/v1 Role", name, {"rules": rules}),
        make.namespaced(
            f"{_RBAC}/v1 RoleBinding",
            name,
            {"roleRef": _reference("Role", name), "subjects": [_account(name)]},
        ),
    ]


def _rule(group: str, resources: Sequence[str], *verbs: str) -> Object:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _reference(kind: str, name: str) -> Object:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}


def _account(name: str) -> Object:
    return {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACES["monitoring"]}
