# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Knative Serving as the platform needs it: what is laid over its manifests, and who may use its gateway.

Requests of mode `knative` come from tier 2 to Knative's gateway for requests from inside the cluster. On ordinary
clusters net-istio configures that gateway. On a node of plain binaries net-istio cannot be had: there a controller of
the project's own, `knative-ingress`, does, and the gateway is closed by the mesh's identities, because no engine
enforces NetworkPolicies.
"""

from __future__ import annotations

from ..inventory import NAMESPACES, Platform
from . import images, naming
from .objects import Maker, Object
from .runtimes import CONTAINER_SECURITY, POD_SECURITY

# https://github.com/knative/networking, config/config-network.yaml: ingress-class
_CLASS = "inferencebox.ingress.networking.knative.dev"
_CONTROLLER = "knative-ingress"
_GATEWAY = naming.KNATIVE_LOCAL.partition(".")[0]
# Labels of the gateway's pods, and the identity that Istio's chart gives them.
GATEWAY_LABELS = {"istio": "ingressgateway"}
GATEWAY_PRINCIPAL = naming.principal(NAMESPACES["istio"], "istio-ingressgateway")
# Port of the gateway at its pods. https://github.com/knative-extensions/net-istio, config/203-local-gateway.yaml
LOCAL_PORT = 8081
# Where the controller asks whether the gateway has a route yet, without being one of its callers.
_PROBE_PORT = 8082
_METRICS_PORT = 9090
# https://github.com/knative/networking, pkg/http/header: requests that are answered in place of the model.
_PROBE_HEADER = "K-Network-Probe"


def has_own_ingress(platform: Platform) -> bool:
    """Whether the project's own controller stands in for net-istio."""
    return platform.cluster.provider == "node"


def overlay(platform: Platform) -> list[Object]:
    """Make what is laid over Knative's manifests, and stands beside them."""
    laid = [
        _no_namespace(),
        *_settings(platform),
        *_webhooks(),
        *(_outside_of_the_mesh(name) for name in ("controller", "webhook")),
    ]
    return [*laid, *_own_ingress()] if has_own_ingress(platform) else laid


def closed(platform: Platform) -> list[Object]:
    """Make the policies by which nobody but tier 2's requests come through Knative to a model.

    Knative's activator and its gateway for the cluster answer whoever calls them, and a model's pods see their
    identity, not the caller's.
    """
    activator = {"selector": {"matchLabels": {"app": "activator"}}}
    mtls: Object = {**activator, "mtls": {"mode": "STRICT"}}
    sources = [
        {"source": {"principals": [GATEWAY_PRINCIPAL]}},
        {"source": {"namespaces": [NAMESPACES["knative"]]}},
    ]
    rules: list[Object] = [{"from": sources}]
    if platform.observability.prometheus != "disabled":
        # It has no identity of the mesh, and reads figures alone.
        mtls["portLevelMtls"] = {str(_METRICS_PORT): {"mode": "PERMISSIVE"}}
        rules.append({"to": [{"operation": {"ports": [str(_METRICS_PORT)]}}]})
    make = Maker(platform, namespace=NAMESPACES["knative"])
    name = naming.cluster_wide(platform, "activator")
    made = [
        make.namespaced("security.istio.io/v1 PeerAuthentication", name, {"spec": mtls}),
        make.namespaced(
            "security.istio.io/v1 AuthorizationPolicy",
            name,
            {"spec": {**activator, "action": "ALLOW", "rules": rules}},
        ),
    ]
    return [*made, *_own_gateway_closed(platform)] if has_own_ingress(platform) else made


def _own_gateway_closed(platform: Platform) -> list[Object]:
    tier2 = naming.tier_principal(platform, naming.TIER2)
    models = {
        "from": [{"source": {"principals": [tier2]}}],
        "to": [{"operation": {"ports": [str(LOCAL_PORT)]}}],
    }
    # Whoever sends this header gets Knative's own answer: it says that there is a route, and asks no model.
    probes = {
        "to": [{"operation": {"ports": [str(_PROBE_PORT)]}}],
        "when": [{"key": f"request.headers[{_PROBE_HEADER}]", "values": ["probe"]}],
    }
    spec = {
        "selector": {"matchLabels": dict(GATEWAY_LABELS)},
        "action": "ALLOW",
        "rules": [models, probes],
    }
    rule = {
        "host": naming.KNATIVE_LOCAL,
        "exportTo": ["."],
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
    }
    gateway = Maker(platform, namespace=NAMESPACES["istio"])
    return [
        gateway.namespaced(
            "security.istio.io/v1 AuthorizationPolicy",
            naming.cluster_wide(platform, "knative-local"),
            {"spec": spec},
        ),
        Maker(platform).namespaced(
            "networking.istio.io/v1 DestinationRule", _GATEWAY, {"spec": rule}
        ),
    ]


def _no_namespace() -> Object:
    """Upstream's own is left out: it was made before, because policies lie in it, and has one owner."""
    return {**_object("v1 Namespace", NAMESPACES["knative"], ""), "$patch": "delete"}


def _settings(platform: Platform) -> list[Object]:
    """Make settings of Knative.

    https://knative.dev/docs/serving/configuration/feature-flags
    """
    features = {
        f"kubernetes.podspec-{name}": "enabled"
        for name in (
            "securitycontext",
            "persistent-volume-claim",
            "init-containers",
            "nodeselector",
            "tolerations",
            "affinity",
            "fieldref",
        )
    }
    network = {
        # What sends to a pod's own address has no identity of the mesh.
        "mesh-compatibility-mode": "enabled"
    }
    if has_own_ingress(platform):
        network["ingress-class"] = _CLASS
    local = ["localhost", "kind.local", "ko.local"]
    if platform.images.source == "built":
        # No registry can be asked for their digests. Names without a dot count as Docker Hub's.
        # https://github.com/google/go-containerregistry, pkg/name/repository.go
        local.append("index.docker.io")
    settings = {
        # Its sidecar counts against a tenant's quota, and says how much it takes only when it is asked.
        "config-features": {**features, "queueproxy.resource-defaults": "enabled"},
        "config-domain": {platform.domain: ""},
        "config-deployment": {"registries-skipping-tag-resolving": ",".join(local)},
        "config-network": network,
    }
    return [
        _object("v1 ConfigMap", name, NAMESPACES["knative"], data=data)
        for name, data in settings.items()
    ]


def _webhooks() -> list[Object]:
    """Leave the rules of two webhooks to Knative, which writes them when it starts, and differently.

    https://github.com/knative/serving, config/core/webhooks: the same, with rules
    """
    kinds = {
        "MutatingWebhookConfiguration": "webhook.serving.knative.dev",
        "ValidatingWebhookConfiguration": "validation.webhook.serving.knative.dev",
    }
    service = {"name": "webhook", "namespace": NAMESPACES["knative"]}
    return [
        _object(
            f"admissionregistration.k8s.io/v1 {kind}",
            name,
            "",
            webhooks=[
                {
                    "name": name,
                    "admissionReviewVersions": ["v1", "v1beta1"],
                    "clientConfig": {"service": dict(service)},
                    "failurePolicy": "Fail",
                    "sideEffects": "None",
                    "timeoutSeconds": 10,
                }
            ],
        )
        for kind, name in kinds.items()
    ]


def _outside_of_the_mesh(deployment: str) -> Object:
    """Spare the sidecar of what no model speaks to."""
    labels = {"sidecar.istio.io/inject": "false"}
    return _object(
        "apps/v1 Deployment",
        deployment,
        NAMESPACES["knative"],
        spec={"template": {"metadata": {"labels": labels}}},
    )


def _own_ingress() -> list[Object]:
    """Make the controller, its rights, and the gateway that it gives routes."""
    namespace = NAMESPACES["knative"]
    account = {"kind": "ServiceAccount", "name": _CONTROLLER, "namespace": namespace}
    group = "rbac.authorization.k8s.io"
    everywhere = [
        _rule("networking.internal.knative.dev", "ingresses", "get", "list", "watch", "patch"),
        _rule("networking.internal.knative.dev", "ingresses/status", "update"),
        _rule("networking.internal.knative.dev", "ingresses/finalizers", "update"),
        _rule("networking.istio.io", "virtualservices", "list", "watch", "create", "patch"),
        _rule("", "events", "create", "patch", "update"),
    ]
    at_home = [
        _rule("", "configmaps", "get", "list", "watch"),
        _rule("coordination.k8s.io", "leases", "get", "list", "create", "update"),
    ]
    cluster_role = {"apiGroup": group, "kind": "ClusterRole", "name": _CONTROLLER}
    role = {"apiGroup": group, "kind": "Role", "name": _CONTROLLER}
    return [
        _object("v1 ServiceAccount", _CONTROLLER, namespace),
        _object(f"{group}/v1 ClusterRole", _CONTROLLER, "", rules=everywhere),
        _object(
            f"{group}/v1 ClusterRoleBinding",
            _CONTROLLER,
            "",
            roleRef=cluster_role,
            subjects=[account],
        ),
        _object(f"{group}/v1 Role", _CONTROLLER, namespace, rules=at_home),
        _object(
            f"{group}/v1 RoleBinding", _CONTROLLER, namespace, roleRef=role, subjects=[account]
        ),
        _object("apps/v1 Deployment", _CONTROLLER, namespace, spec=_controller()),
        _object(
            "networking.istio.io/v1 Gateway",
            _GATEWAY,
            namespace,
            spec={
                "selector": dict(GATEWAY_LABELS),
                "servers": [
                    {
                        "port": {"number": LOCAL_PORT, "name": "https-tier2", "protocol": "HTTPS"},
                        "hosts": ["*"],
                        "tls": {"mode": "ISTIO_MUTUAL"},
                    },
                    {
                        "port": {"number": _PROBE_PORT, "name": "http-probe", "protocol": "HTTP"},
                        "hosts": ["*"],
                    },
                ],
            },
        ),
        _object(
            "v1 Service",
            _GATEWAY,
            NAMESPACES["istio"],
            spec={
                "selector": dict(GATEWAY_LABELS),
                "ports": [
                    {"name": "http2", "port": 80, "targetPort": LOCAL_PORT},
                    {"name": "http-probe", "port": _PROBE_PORT, "targetPort": _PROBE_PORT},
                ],
            },
        ),
    ]


def _controller() -> Object:
    labels = {"app.kubernetes.io/name": _CONTROLLER}
    namespace = NAMESPACES["knative"]
    environment = {
        "SYSTEM_NAMESPACE": namespace,
        "CONFIG_LOGGING_NAME": "config-logging",
        "CONFIG_OBSERVABILITY_NAME": "config-observability",
    }
    variables: list[Object] = [{"name": key, "value": value} for key, value in environment.items()]
    variables.append(
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    )
    container: Object = {
        "name": _CONTROLLER,
        "image": images.INGRESS_IMAGE,
        "env": variables,
        "ports": [{"name": "probes", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/readiness", "port": "probes"}},
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": "probes"},
            "failureThreshold": 6,
        },
        "resources": {
            "requests": {"cpu": "20m", "memory": "48Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
    }
    pod = {
        "serviceAccountName": _CONTROLLER,
        "securityContext": dict(POD_SECURITY),
        "containers": [container],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": {**labels, "sidecar.istio.io/inject": "false"}},
            "spec": pod,
        },
    }


def _rule(group: str, resource: str, *verbs: str) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def _object(kind: str, name: str, namespace: str, **body: object) -> Object:
    """An object of Knative's, or beside them; the apply module labels it as the platform's."""
    api_version, _, kind = kind.partition(" ")
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
