# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where spans go: of both tiers and of the models' sidecars, to a collector that drops what is private, and to Jaeger.

On ordinary clusters both have charts, which are in no Go module. Jaeger is a collector itself: on a node of plain binaries
one pod takes spans, with the mesh's identities, and keeps them.
"""

from __future__ import annotations

import hashlib

from ..catalogue import train
from ..inventory import NAMESPACES, Platform
from . import images, naming, network
from .manifests import to_yaml
from .objects import Maker, Object
from .runtimes import CONTAINER_SECURITY, NOBODY, POD_SECURITY

# Of requests whose callers do not say whether they are traced. Percent.
_SAMPLED = 1
# Whose a span is: at both tiers the caller's tenant, at a model its owner.
_TENANT_TAG = "inferencebox.tenant"
_JAEGER = "jaeger"
_JAEGER_PORT, _HEALTH_PORT = 16686, 13133
_MOST_TRACES = 20_000

# Attributes in which instrumentation of language models may put what people wrote, and credentials.
_PRIVATE = (
    r"^(gen_ai\.(prompt|completion|input|output)|llm\.(input|output)_messages|input\.value|output\.value"
    r"|http\.(request|response)\.header\.(authorization|x-api-key|cookie|set-cookie)).*"
)


def is_own(platform: Platform) -> bool:
    """Whether the platform runs what takes spans without the charts that ordinary clusters have it from."""
    return naming.traced(platform) and platform.cluster.provider == "node"


def telemetry(platform: Platform, make: Maker, tenant: Object) -> list[Object]:
    """Send spans of a namespace's proxies to the collector, with the tenant's name.

    Every request has come through tier 1, and has been told there whether it is traced, which Envoy respects.
    There is no `metrics` here on purpose: with a proxy that lacks Istio's own extensions, it makes every
    listener be rejected, and policies written later never act.

    Args:
        platform: The platform.
        make: Maker of the namespace's objects.
        tenant: From where Istio has the tenant's name.
    """
    if not naming.traced(platform):
        return []
    tracing = {
        "providers": [{"name": naming.TRACING_PROVIDER}],
        "randomSamplingPercentage": 100.0,
        "customTags": {_TENANT_TAG: tenant},
    }
    spec = {"tracing": [tracing]}
    return [make.namespaced("telemetry.istio.io/v1 Telemetry", "default", {"spec": spec})]


def of_tier1(backend: Object, tenant_header: str) -> Object:
    """Trace what callers ask to be traced, nothing of those who ask for none, and a share of all others.

    Args:
        backend: Refers to where the collector is.
        tenant_header: In which tier 1 has the caller's tenant.

    Returns:
        `telemetry.tracing` of an EnvoyProxy.
    """
    share = {"numerator": _SAMPLED, "denominator": 100}
    sampler = {"type": "ParentBasedTraceIdRatio", "samplingPercentage": share}
    return {
        # Left to the sampler: what this leaves out is not traced, whatever its caller says.
        "samplingRate": 100,
        "provider": {
            "type": "OpenTelemetry",
            "backendRefs": [backend],
            "openTelemetry": {"sampler": sampler},
        },
        "customTags": {
            _TENANT_TAG: {"type": "RequestHeader", "requestHeader": {"name": tenant_header}}
        },
    }


def objects(platform: Platform) -> list[Object]:
    """Make the configuration of the collector; on a node of plain binaries also what reads it.

    Args:
        platform: A platform whose spans are collected.
    """
    make = Maker(platform, namespace=NAMESPACES["monitoring"])
    own = is_own(platform)
    text = to_yaml([_configuration(_kept() if own else _handed_on())])
    # The key under which the collector's chart mounts a ConfigMap that it did not make.
    made = [make.namespaced("v1 ConfigMap", naming.COLLECTOR, {"data": {"relay": text}})]
    return [*made, *_pod(platform, make, text)] if own else made


def _configuration(store: Object) -> Object:
    """Take spans, drop what is private, and give them to a store."""
    (exporter,) = store["exporters"]
    return {
        "extensions": store["extensions"],
        "receivers": {
            "otlp": {
                "protocols": {"grpc": {"endpoint": f"${{env:MY_POD_IP}}:{naming.COLLECTOR_PORT}"}}
            }
        },
        "processors": {
            "memory_limiter": {
                "check_interval": "1s",
                "limit_percentage": 80,
                "spike_limit_percentage": 20,
            },
            "attributes/private": {"actions": [{"pattern": _PRIVATE, "action": "delete"}]},
            "batch": {},
        },
        "exporters": store["exporters"],
        "service": {
            "extensions": list(store["extensions"]),
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "attributes/private", "batch"],
                    "exporters": [exporter],
                }
            },
            **store.get("service", {}),
        },
    }


def _handed_on() -> Object:
    return {
        "extensions": {"health_check": {"endpoint": f"${{env:MY_POD_IP}}:{_HEALTH_PORT}"}},
        "exporters": {
            "otlp/traces": {
                "endpoint": f"{_JAEGER}.{NAMESPACES['monitoring']}.svc.cluster.local:{naming.COLLECTOR_PORT}",
                "tls": {"insecure": True},
            }
        },
    }


def _kept() -> Object:
    """Jaeger's own parts: https://github.com/jaegertracing/jaeger, cmd/jaeger."""
    store = "traces"
    return {
        "extensions": {
            "healthcheckv2": {
                "use_v2": True,
                "http": {"endpoint": f"${{env:MY_POD_IP}}:{_HEALTH_PORT}"},
            },
            "jaeger_storage": {"backends": {store: {"memory": {"max_traces": _MOST_TRACES}}}},
            # It asks nobody who they are: who comes through the API server, into its pod, was asked there.
            "jaeger_query": {
                "storage": {"traces": store},
                "http": {"endpoint": f"127.0.0.1:{_JAEGER_PORT}"},
                "grpc": {"endpoint": "127.0.0.1:16685"},
                # Traces of its own answers.
                "enable_tracing": False,
            },
        },
        "exporters": {"jaeger_storage_exporter": {"trace_storage": store}},
        "service": {"telemetry": {"metrics": {"level": "none"}}},
    }


def _pod(platform: Platform, make: Maker, configuration: str) -> list[Object]:
    """Make Jaeger in the mesh, for both tiers and the tenants' models."""
    labels = dict(network.COLLECTOR_LABELS)
    found = train(platform.train).components["jaeger-collector"]
    container: Object = {
        "name": _JAEGER,
        "image": images.address(platform, f"{found.image}:{found.version}"),
        "args": ["--config=/etc/jaeger/relay"],
        "env": [
            {"name": "MY_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "ports": [{"name": "grpc-otlp", "containerPort": naming.COLLECTOR_PORT}],
        "readinessProbe": {"httpGet": {"path": "/status", "port": _HEALTH_PORT}},
        "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/jaeger", "readOnly": True}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {**POD_SECURITY, "runAsUser": NOBODY},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": naming.COLLECTOR}}],
    }
    metadata = {
        "labels": {**labels, "sidecar.istio.io/inject": "true"},
        # It reads its configuration once.
        "annotations": {
            naming.DIGEST_ANNOTATION: hashlib.sha256(configuration.encode()).hexdigest()
        },
    }
    deployment = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": metadata, "spec": pod},
    }
    # Istio speaks HTTP/2 to ports of such a name alone.
    port = {"name": "grpc-otlp", "port": naming.COLLECTOR_PORT}
    tiers = [naming.tier_principal(platform, tier) for tier in (naming.TIER1, naming.TIER2)]
    sources = [{"source": {"principals": tiers}}]
    if owners := [tenant.name for tenant in platform.tenants if platform.owned(tenant.name)]:
        sources.append({"source": {"namespaces": owners}})
    operation = {"operation": {"ports": [str(naming.COLLECTOR_PORT)]}}
    allowed = {
        "selector": {"matchLabels": labels},
        "action": "ALLOW",
        "rules": [{"from": sources, "to": [operation]}],
    }
    return [
        make.namespaced(
            "security.istio.io/v1 AuthorizationPolicy", naming.COLLECTOR, {"spec": allowed}
        ),
        make.namespaced(
            "v1 Service", naming.COLLECTOR, {"spec": {"selector": labels, "ports": [port]}}
        ),
        make.namespaced("apps/v1 Deployment", _JAEGER, {"spec": deployment}),
    ]
