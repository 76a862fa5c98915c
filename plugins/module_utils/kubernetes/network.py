# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pieces of NetworkPolicies: who may talk to whom. Everything else is refused by the default denials."""

from __future__ import annotations

from ..inventory import NAMESPACES
from . import naming
from .objects import Maker, Object

# Every namespace carries its own name as this label.
# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
NAMESPACE_NAME = "kubernetes.io/metadata.name"

# Ports of every sidecar and gateway of Istio: its own figures, and the workload's merged with them.
METRICS_PORTS = (15020, 15090)
# https://github.com/knative/networking, pkg/apis/networking/register.go: HTTP/1, HTTP/2 and TLS of the
# queue-proxy, its admin port, and figures for the autoscaler and for users.
QUEUE_PORTS = (8012, 8013, 8112, 8022, 9090, 9091)
# Addresses that are never a public service: RFC 1918, RFC 6598 and RFC 3927.
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")


def policy(
    make: Maker,
    name: str,
    *,
    pods: Object | None = None,
    ingress: list[Object] | None = None,
    egress: list[Object] | None = None,
) -> Object:
    """Make a NetworkPolicy that allows.

    Args:
        make: Makes it, in its owner's namespace.
        name: Its name.
        pods: Selector of the pods it is about; all where None.
        ingress: Rules for what comes in; None where it says nothing about that.
        egress: Rules for what goes out; None where it says nothing about that.
    """
    rules = {"Ingress": ingress, "Egress": egress}
    types = [direction for direction, found in rules.items() if found is not None]
    return make.namespaced(
        "networking.k8s.io/v1 NetworkPolicy",
        name,
        {
            "spec": {
                "podSelector": pods or {},
                "policyTypes": types,
                **{direction.lower(): rules[direction] for direction in types},
            }
        },
    )


def peer(namespace: str, pods: dict[str, str] | None = None) -> Object:
    """Pods of another namespace, all of them where no labels are given."""
    found: Object = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: namespace}}}
    if pods:
        found["podSelector"] = {"matchLabels": pods}
    return found


def tcp(*ports: int) -> list[Object]:
    """TCP ports of a rule."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def to_dns() -> Object:
    """Egress to the cluster's name service."""
    return {
        "to": [peer("kube-system", {"k8s-app": "kube-dns"})],
        "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
    }


def to_istiod() -> Object:
    """Egress to Istio's control plane: certificates and configuration of a sidecar or gateway."""
    return {"to": [peer(NAMESPACES["istio"], {"app": "istiod"})], "ports": tcp(15012)}


def to_public(*ports: int) -> Object:
    """Egress to addresses outside of every private network."""
    return {
        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE)}}],
        "ports": tcp(*ports),
    }


def to_collector() -> Object:
    """Egress of spans and logs to the OpenTelemetry collector."""
    return {
        "to": [peer(NAMESPACES["monitoring"], COLLECTOR_LABELS)],
        "ports": tcp(naming.COLLECTOR_PORT),
    }


def from_prometheus(*ports: int) -> Object:
    """Ingress of whoever reads figures."""
    return {"from": [peer(NAMESPACES["monitoring"])], "ports": tcp(*(ports or METRICS_PORTS))}


def with_labels(**labels: str) -> Object:
    """Select pods by labels."""
    return {"matchLabels": labels}


def of_inference_services(names: list[str], component: str = "") -> Object:
    """Select the pods that KServe makes for some InferenceServices, or one component of them."""
    found: Object = {
        "matchExpressions": [{"key": naming.SERVICE_LABEL, "operator": "In", "values": names}]
    }
    if component:
        found["matchLabels"] = {naming.COMPONENT_LABEL: component}
    return found


# What the collector's chart gives its pods.
COLLECTOR_LABELS = {"app.kubernetes.io/name": "opentelemetry-collector"}
