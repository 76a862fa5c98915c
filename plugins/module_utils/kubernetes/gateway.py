# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1 as objects of Envoy Gateway and Envoy AI Gateway.

Everything lives in the platform's namespace: tenants hold no rights on it, and nothing refers into another
namespace, so that no ReferenceGrant is needed. The same objects serve both engines; where it is `standalone`, they
are not applied but read by `aigw run` in one pod, with Envoy beside it and tier 2 behind a local port.

The order of Envoy's filters decides what is safe, and is this (proven on the running proxy by tests/cluster):
identity (JWT), model from the body (the AI Gateway's external processor), authorization (RBAC), limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..catalogue import train
from ..envoy.tier1 import DROPPED_HEADERS
from ..inventory import Platform
from . import (
    certificates,
    gateway_pod,
    gateway_policies,
    gateway_routes,
    images,
    naming,
    providers,
    quantities,
    traces,
)
from .gateway_names import (
    EDGE,
    ENVOY_GROUP,
    KEY_HEADER,
    TENANT_HEADER,
    ApiKey,
    backend_reference,
    gateway_reference,
    standalone,
)
from .objects import Maker, Object

_CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"

# The usual port, behind a node's own.
_HTTPS_PORT = 443

# The limit says when it has room again; only a refusal is told so in the header that clients wait by.
_RETRY_AFTER = "%CEL(response.code == 429 ? response.headers['x-ratelimit-reset'] : '')%"

# What proxies and servers on the way say of themselves.
_HIDDEN_HEADERS = (
    "server",
    "x-powered-by",
    "x-envoy-upstream-service-time",
    "x-envoy-decorator-operation",
)

_LOG_FIELDS = {
    "time": "%START_TIME%",
    "tier": naming.TIER1,
    "request_id": "%REQ(x-request-id)%",
    "traceparent": "%REQ(traceparent)%",
    "tenant": "%REQ(x-tenant-id)%",
    "user": "%REQ(x-user-id)%",
    "model": "%REQ(x-ai-eg-model)%",
    "route": "%ROUTE_NAME%",
    "method": "%REQ(:method)%",
    "path": "%REQ(x-envoy-original-path?:path)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "input_tokens": "%DYNAMIC_METADATA(io.envoy.ai_gateway:llm_input_token)%",
    "output_tokens": "%DYNAMIC_METADATA(io.envoy.ai_gateway:llm_output_token)%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream_ms": "%RESPONSE_DURATION%",
}


def objects(platform: Platform, keys: Sequence[ApiKey] = ()) -> list[Object]:
    """Make what is applied for tier 1.

    Args:
        platform: The platform.
        keys: API keys that are valid now.

    Returns:
        Its configuration, or the pod that holds it, in dependency order.
    """
    found = configuration(platform, keys)
    return gateway_pod.objects(platform, found) if standalone(platform) else found


def configuration(platform: Platform, keys: Sequence[ApiKey] = ()) -> list[Object]:
    """Make the objects that tell tier 1 what to do.

    Args:
        platform: The platform.
        keys: API keys that are valid now.

    Returns:
        Objects in dependency order.
    """
    make = Maker(platform)
    return [
        make.cluster_wide(
            "gateway.networking.k8s.io/v1 GatewayClass",
            naming.cluster_wide(platform, EDGE),
            {"spec": {"controllerName": _CONTROLLER}},
        ),
        *_collector(platform),
        _proxy(platform),
        _gateway(platform),
        _client_policy(platform),
        *gateway_policies.key_sets(platform),
        gateway_policies.security_policy(platform, keys),
        *providers.objects(platform),
        *gateway_routes.objects(platform),
        *gateway_policies.traffic_policies(platform, keys),
    ]


def edge_port(platform: Platform) -> int:
    """Port of the Gateway's listener."""
    if standalone(platform):
        return gateway_pod.PORT
    if platform.cluster.service_type == "NodePort":
        return _HTTPS_PORT
    return platform.gateway.https_port


def _gateway(platform: Platform) -> Object:
    listener: Object = {
        "name": "https",
        "protocol": "HTTPS",
        "port": edge_port(platform),
        "hostname": naming.gateway_host(platform),
        "allowedRoutes": {"namespaces": {"from": "Same"}},
        "tls": {
            "mode": "Terminate",
            "certificateRefs": [{"group": "", "kind": "Secret", "name": certificates.EDGE}],
        },
    }
    proxy = {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": EDGE}
    return Maker(platform).namespaced(
        "gateway.networking.k8s.io/v1 Gateway",
        EDGE,
        {
            "spec": {
                "gatewayClassName": naming.cluster_wide(platform, EDGE),
                "infrastructure": {"parametersRef": proxy},
                "listeners": [listener],
            }
        },
    )


def _proxy(platform: Platform) -> Object:
    log = {
        "sinks": [{"type": "File", "file": {"path": "/dev/stderr"}}],
        "format": {"type": "JSON", "json": dict(_LOG_FIELDS)},
    }
    spec: Object = {
        "provider": _host_provider(platform) if standalone(platform) else _pod_provider(platform),
        # Answers are put into the callers' protocol by the custom_response filter. Left at its usual first
        # place, it draws the AI Gateway's filter there too, before identity: /v1/models would answer anybody.
        "filterOrder": [
            {"name": "envoy.filters.http.custom_response", "after": "envoy.filters.http.jwt_authn"}
        ],
        "logging": {"level": {"default": "warn"}},
        "telemetry": {"accessLog": {"settings": [log]}},
        # What changes the listener, as a new key of an issuer does, ends the connections that it had, and so does the end of a pod:
        # their answers come to their end.
        "shutdown": {"drainTimeout": f"{gateway_pod.longest_answer(platform)}s"},
    }
    if naming.traced(platform):
        collector = backend_reference(naming.COLLECTOR)
        spec["telemetry"]["tracing"] = traces.of_tier1(collector, TENANT_HEADER)
    return Maker(platform).namespaced(f"{ENVOY_GROUP}/v1alpha1 EnvoyProxy", EDGE, {"spec": spec})


def _collector(platform: Platform) -> list[Object]:
    """Say where spans of tier 1 go."""
    if not naming.traced(platform):
        return []
    # The sidecar of tier 1's pod takes them from here, with tier 1's identity.
    host = "localhost" if standalone(platform) else naming.COLLECTOR_HOST
    endpoint = {"fqdn": {"hostname": host, "port": naming.COLLECTOR_PORT}}
    return [
        Maker(platform).namespaced(
            f"{ENVOY_GROUP}/v1alpha1 Backend", naming.COLLECTOR, {"spec": {"endpoints": [endpoint]}}
        )
    ]


def _host_provider(platform: Platform) -> Object:
    # aigw looks for it below its data directory, and else for a download.
    version = train(platform.train).components["envoy"].version
    return {"type": "Host", "host": {"envoyVersion": version}}


def _pod_provider(platform: Platform) -> Object:
    service: Object = {"type": platform.cluster.service_type}
    if platform.cluster.service_type == "NodePort":
        port = {"port": _HTTPS_PORT, "nodePort": platform.gateway.https_port}
        service["patch"] = {"type": "StrategicMerge", "value": {"spec": {"ports": [port]}}}
    return {
        "type": "Kubernetes",
        "kubernetes": {
            "envoyDeployment": {
                "replicas": 2,
                "pod": {
                    # None of the usual ones: by some of them Envoy Gateway finds its pods, with its own values. And none that ever
                    # changes: its Service looks for all of them, and has no pod at all until the new ones are ready.
                    "labels": {
                        naming.PLATFORM_LABEL: platform.name,
                        naming.YIELDS_LABEL: "true",
                    },
                    "securityContext": {
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "topologySpreadConstraints": [_spread(platform)],
                },
                "container": {
                    # Here and not among Envoy Gateway's own settings, which an object like this one replaces.
                    "image": images.envoy(platform),
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "256Mi"},
                        "limits": {"memory": "1Gi"},
                    },
                },
            },
            "envoyPDB": {"minAvailable": 1},
            "envoyService": service,
        },
    }


def _spread(platform: Platform) -> Object:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {naming.PLATFORM_LABEL: platform.name}},
    }


def _client_policy(platform: Platform) -> Object:
    spec: Object = {
        "targetRefs": [gateway_reference()],
        "connection": {"bufferLimit": quantities.memory(platform.gateway.max_request_bytes)},
        "headers": {
            "earlyRequestHeaders": {
                "remove": [*DROPPED_HEADERS, KEY_HEADER],
                # What the AI Gateway tells itself, whatever else it comes to be.
                "removeOnMatch": [{"type": "Prefix", "value": "x-ai-eg-"}],
            },
            "xForwardedClientCert": {"mode": "Sanitize"},
            "withUnderscoresAction": "RejectRequest",
            "requestID": "Generate",
            "lateResponseHeaders": {
                "set": [{"name": "x-request-id", "value": "%REQ(x-request-id)%"}],
                "addIfAbsent": [{"name": "retry-after", "value": _RETRY_AFTER}],
                "remove": [*_HIDDEN_HEADERS],
            },
        },
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": True},
        # A connection without a request holds up the end of its pod.
        "timeout": {"http": {"requestReceivedTimeout": "60s", "idleTimeout": "300s"}},
        "tls": {"minVersion": "1.2", "alpnProtocols": ["h2", "http/1.1"]},
        "healthCheck": {"path": "/healthz"},
    }
    return Maker(platform).namespaced(
        f"{ENVOY_GROUP}/v1alpha1 ClientTrafficPolicy", EDGE, {"spec": spec}
    )
