# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a node of plain binaries gets alerts from and where they go: kube-state-metrics and Alertmanager.

Both answer the platform's Prometheus alone, which reaches them through the mesh. Their ports are named as TCP: Prometheus
calls pods by their addresses, and the mesh knows requests of HTTP by their hosts.
"""

from __future__ import annotations

from ..catalogue import train
from ..inventory import NAMESPACES, Platform
from . import images, naming, network
from .objects import Maker, Object
from .runtimes import CONTAINER_SECURITY, NOBODY, NOBODY_SECURITY, POD_SECURITY

ALERTMANAGER_PORT, STATES_PORT = 9093, 8080
ALERTMANAGER_PORT_NAME = "tcp-web"
# The Service that the operator makes for all that it runs.
ALERTMANAGER_SERVICE = "alertmanager-operated"
STATES = "kube-state-metrics"
_ALERTMANAGER = "alertmanager"
_GROUP = "monitoring.coreos.com"
_RBAC = "rbac.authorization.k8s.io"
# What rules and dashboards ask for, and no more.
_KINDS = {"apps": "deployments", "": "resourcequotas"}
_MESH = {"sidecar.istio.io/inject": "true"}


def objects(platform: Platform, prometheus: str) -> list[Object]:
    """Make both, and let Prometheus ask them.

    Args:
        platform: A platform with a Prometheus of its own.
        prometheus: Name of that one's ServiceAccount.
    """
    make = Maker(platform, namespace=NAMESPACES["monitoring"])
    return [
        make.namespaced(
            f"{_GROUP}/v1 Alertmanager", platform.name, {"spec": _alertmanager(platform)}
        ),
        *_states(platform, make),
        *_reached(make, prometheus, _ALERTMANAGER, ALERTMANAGER_SERVICE, ALERTMANAGER_PORT),
        *_reached(make, prometheus, STATES, STATES, STATES_PORT),
    ]


def _alertmanager(platform: Platform) -> Object:
    found = train(platform.train).components[_ALERTMANAGER]
    home = {"matchLabels": {network.NAMESPACE_NAME: NAMESPACES["monitoring"]}}
    return {
        "image": images.address(platform, f"{found.image}:{found.version}"),
        "version": found.version,
        "replicas": 1,
        "portName": ALERTMANAGER_PORT_NAME,
        "podMetadata": {"labels": _MESH},
        # Whoever administers the cluster says where alerts go; they are told of all tenants.
        "alertmanagerConfigSelector": {},
        "alertmanagerConfigNamespaceSelector": home,
        "alertmanagerConfigMatcherStrategy": {"type": "None"},
        "storage": {"emptyDir": {"sizeLimit": "256Mi"}},
        "resources": {
            "requests": {"cpu": "10m", "memory": "48Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": dict(NOBODY_SECURITY),
    }


def _states(platform: Platform, make: Maker) -> list[Object]:
    """Make what tells of Kubernetes' objects, in the tenants' namespaces alone."""
    labels = {"app.kubernetes.io/name": STATES}
    tenants = [tenant.name for tenant in platform.tenants]
    role = naming.cluster_wide(platform, STATES)
    rules = [
        {"apiGroups": [group], "resources": [kind], "verbs": ["list", "watch"]}
        for group, kind in _KINDS.items()
    ]
    bound = {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [
            {"kind": "ServiceAccount", "name": STATES, "namespace": NAMESPACES["monitoring"]}
        ],
    }
    found = train(platform.train).components[STATES]
    container: Object = {
        "name": STATES,
        "image": images.address(platform, f"{found.image}:{found.version}"),
        "args": [
            f"--resources={','.join(_KINDS.values())}",
            f"--namespaces={','.join(tenants)}",
            "--host=0.0.0.0",
            f"--port={STATES_PORT}",
            # Figures about itself, for which nobody asks.
            "--telemetry-host=127.0.0.1",
        ],
        "ports": [{"name": "tcp-metrics", "containerPort": STATES_PORT}],
        "readinessProbe": {"httpGet": {"path": "/livez", "port": STATES_PORT}},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
    }
    pod = {
        "serviceAccountName": STATES,
        "securityContext": {**POD_SECURITY, "runAsUser": NOBODY},
        "containers": [container],
    }
    deployment = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": {**labels, **_MESH}}, "spec": pod},
    }
    service = {
        "clusterIP": "None",
        "selector": labels,
        "ports": [{"name": "tcp-metrics", "port": STATES_PORT}],
    }
    return [
        make.namespaced("v1 ServiceAccount", STATES, {}),
        make.cluster_wide(f"{_RBAC}/v1 ClusterRole", role, {"rules": rules}),
        *(
            Maker(platform, namespace=tenant).namespaced(f"{_RBAC}/v1 RoleBinding", role, bound)
            for tenant in tenants
        ),
        make.namespaced("v1 Service", STATES, {"spec": service}),
        make.namespaced("apps/v1 Deployment", STATES, {"spec": deployment}),
    ]


def _reached(make: Maker, prometheus: str, name: str, service: str, port: int) -> list[Object]:
    """Let Prometheus ask the pods of a name, with the mesh's identity."""
    source = {"principals": [naming.principal(NAMESPACES["monitoring"], prometheus)]}
    allowed = {
        "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
        "action": "ALLOW",
        "rules": [
            {"from": [{"source": source}], "to": [{"operation": {"ports": [str(port)]}}]},
        ],
    }
    asked = {
        "host": f"{service}.{NAMESPACES['monitoring']}.svc.cluster.local",
        "exportTo": ["."],
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
    }
    return [
        make.namespaced("security.istio.io/v1 AuthorizationPolicy", name, {"spec": allowed}),
        make.namespaced("networking.istio.io/v1 DestinationRule", name, {"spec": asked}),
    ]
