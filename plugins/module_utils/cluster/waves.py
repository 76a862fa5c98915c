# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In which order kinds are applied; they are removed in the reverse order.

What others live in or are made of comes first, then what restricts, then what serves, then what sends traffic to it:
a route never opens before the policy that guards it. Objects of one wave are applied at once.
"""

from __future__ import annotations

from .objects import CRD, Key

_CORE = ""
_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_GATEWAY = "gateway.networking.k8s.io"
_ENVOY = "gateway.envoyproxy.io"
_AI = "aigateway.envoyproxy.io"
_ISTIO_SECURITY = "security.istio.io"
_ISTIO = "networking.istio.io"
_KSERVE = "serving.kserve.io"

NAMESPACES = 0
DEFINITIONS = 1
# Where a kind that nobody named goes.
_OTHERS = 6

_ORDER: tuple[frozenset[tuple[str, str]], ...] = (
    frozenset({(_CORE, "Namespace")}),
    frozenset({CRD}),
    # Who may do what, and how much of it.
    frozenset(
        {
            (_ADMISSION, "ValidatingAdmissionPolicy"),
            ("scheduling.k8s.io", "PriorityClass"),
            ("storage.k8s.io", "StorageClass"),
            (_CORE, "ResourceQuota"),
            (_CORE, "LimitRange"),
            (_CORE, "ServiceAccount"),
            (_CORE, "PersistentVolume"),
            (_RBAC, "ClusterRole"),
            (_RBAC, "Role"),
            ("networking.k8s.io", "NetworkPolicy"),
        }
    ),
    # What the above is bound to, and data.
    frozenset(
        {
            (_ADMISSION, "ValidatingAdmissionPolicyBinding"),
            (_RBAC, "ClusterRoleBinding"),
            (_RBAC, "RoleBinding"),
            (_CORE, "Secret"),
            (_CORE, "ConfigMap"),
            (_CORE, "PersistentVolumeClaim"),
            ("cert-manager.io", "ClusterIssuer"),
            ("cert-manager.io", "Issuer"),
        }
    ),
    # Policies: in force before there is anything to guard.
    frozenset(
        {
            (_ISTIO_SECURITY, "PeerAuthentication"),
            (_ISTIO_SECURITY, "RequestAuthentication"),
            (_ISTIO_SECURITY, "AuthorizationPolicy"),
            (_ISTIO, "Sidecar"),
            ("telemetry.istio.io", "Telemetry"),
            (_ENVOY, "EnvoyProxy"),
            (_ENVOY, "SecurityPolicy"),
            (_ENVOY, "ClientTrafficPolicy"),
            (_ENVOY, "BackendTrafficPolicy"),
            (_GATEWAY, "BackendTLSPolicy"),
            (_GATEWAY, "ReferenceGrant"),
            (_AI, "BackendSecurityPolicy"),
            (_AI, "GatewayConfig"),
            (_AI, "QuotaPolicy"),
            ("cert-manager.io", "Certificate"),
        }
    ),
    # What models and routes are made of.
    frozenset(
        {
            (_GATEWAY, "GatewayClass"),
            (_CORE, "Service"),
            (_ISTIO, "ServiceEntry"),
            (_ISTIO, "DestinationRule"),
            (_ENVOY, "Backend"),
            (_ENVOY, "HTTPRouteFilter"),
            (_KSERVE, "ClusterStorageContainer"),
            (_KSERVE, "ClusterServingRuntime"),
            (_KSERVE, "ServingRuntime"),
            (_KSERVE, "LocalModelNodeGroup"),
            (_KSERVE, "LLMInferenceServiceConfig"),
        }
    ),
    frozenset(),  # workloads, gateways, and whatever nobody named
    # What sends traffic to them, or scales them.
    frozenset(
        {
            (_AI, "AIServiceBackend"),
            (_KSERVE, "InferenceGraph"),
            (_KSERVE, "TrainedModel"),
            ("autoscaling", "HorizontalPodAutoscaler"),
            ("keda.sh", "ScaledObject"),
        }
    ),
    frozenset(
        {
            (_AI, "AIGatewayRoute"),
            (_GATEWAY, "HTTPRoute"),
            (_GATEWAY, "GRPCRoute"),
            (_ISTIO, "VirtualService"),
            ("networking.k8s.io", "Ingress"),
        }
    ),
    # What changes routes finds them changed.
    frozenset({(_ISTIO, "EnvoyFilter")}),
    # Last: from here on they are asked about every object, and their servers must be up.
    frozenset(
        {
            (_ADMISSION, "MutatingWebhookConfiguration"),
            (_ADMISSION, "ValidatingWebhookConfiguration"),
            ("apiregistration.k8s.io", "APIService"),
        }
    ),
)
_WAVES = {kind: number for number, kinds in enumerate(_ORDER) for kind in kinds}


def wave(key: Key) -> int:
    """Number of the wave in which an object is applied."""
    return _WAVES.get((key.group, key.kind), _OTHERS)
