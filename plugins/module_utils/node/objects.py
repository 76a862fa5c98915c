# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the cluster of a node needs before anything else: the name service."""

from __future__ import annotations

import typing as t

from .layout import CLUSTER_DOMAIN, Layout

Object = dict[str, t.Any]

_NAMESPACE = "kube-system"
_NAME = "coredns"
# Above those that only root may open.
_PORT = 1053
_USER = 65532

# The node has no way out, so a name that is not the cluster's does not exist. It stands in a block of its own because
# the plugin template would answer before kubernetes does.
_COREFILE = """\
{domain}:{port} in-addr.arpa:{port} ip6.arpa:{port} {{
    errors
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        pods insecure
        ttl 30
    }}
    prometheus :9153
    cache 30
    loadbalance
    reload
}}
.:{port} {{
    errors
    health :8080
    ready :8181
    template ANY ANY {{
        rcode NXDOMAIN
    }}
    reload
}}
"""


def objects(layout: Layout) -> list[Object]:
    """The name service with its account and rights."""
    return [_account(), _role(), _binding(), _config(), _deployment(layout), _service(layout)]


def _account() -> Object:
    return _object("v1", "ServiceAccount", _NAME)


def _role() -> Object:
    read = ["list", "watch"]
    return {
        **_object("rbac.authorization.k8s.io/v1", "ClusterRole", f"system:{_NAME}", namespace=""),
        "rules": [
            {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": read},
            {
                "apiGroups": ["discovery.k8s.io"],
                "resources": ["endpointslices"],
                "verbs": read,
            },
        ],
    }


def _binding() -> Object:
    kind = "ClusterRoleBinding"
    return {
        **_object("rbac.authorization.k8s.io/v1", kind, f"system:{_NAME}", namespace=""),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": f"system:{_NAME}",
        },
        "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": _NAMESPACE}],
    }


def _config() -> Object:
    text = _COREFILE.format(domain=CLUSTER_DOMAIN, port=_PORT)
    return {**_object("v1", "ConfigMap", _NAME), "data": {"Corefile": text}}


def _deployment(layout: Layout) -> Object:
    labels = {"k8s-app": "kube-dns"}
    container = {
        "name": _NAME,
        "image": layout.image(_NAME),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/coredns"],
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": _PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": _PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "resources": {
            "requests": {"cpu": "50m", "memory": "70Mi"},
            "limits": {"memory": "170Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "timeoutSeconds": 5},
    }
    pod = {
        "serviceAccountName": _NAME,
        "priorityClassName": "system-cluster-critical",
        # The service that the others use is this one.
        "dnsPolicy": "Default",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": _NAME}}],
    }
    return {
        **_object("apps/v1", "Deployment", _NAME, labels=labels),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _service(layout: Layout) -> Object:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": "dns-tcp"},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": "metrics"},
    ]
    labels = {"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}
    return {
        # The name by which others look for a cluster's name service, whatever program it is.
        **_object("v1", "Service", "kube-dns", labels=labels),
        "spec": {
            "clusterIP": layout.name_service,
            "selector": {"k8s-app": "kube-dns"},
            "ports": ports,
        },
    }


def _object(
    version: str,
    kind: str,
    name: str,
    *,
    namespace: str = _NAMESPACE,
    labels: dict[str, str] | None = None,
) -> Object:
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
