# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tenant's namespace: closed to everybody, then opened for exactly what its models need."""

from __future__ import annotations

from ..inventory import NAMESPACES, Model, Platform, Tenant
from ..serving.upstreams import LLAMACPP
from . import access, knative, naming, network, pools, quantities, storage_hosts, traces
from .objects import Maker, Object
from .runtimes import runtime_of
from .system import restricted_pods

# What each pod takes over its model: cores and bytes, requested and at most.
# Istio's sidecar: manifests/charts/istio-control/istio-discovery/values.yaml, global.proxy.resources
_SIDECAR = ((0.1, 128 * 2**20), (2.0, 2**30))
# Knative's queue-proxy, with queueproxy.resource-defaults on: config/core/configmaps/deployment.yaml
_QUEUE_PROXY = ((0.025, 400 * 2**20), (1.0, 800 * 2**20))
# For containers that say nothing: those which fetch files, mostly.
_DEFAULT_REQUESTS = {"cpu": "10m", "memory": "64Mi"}
_DEFAULT_LIMITS = {"cpu": "1", "memory": "1Gi"}

_MESH = "security.istio.io/v1"


def objects(platform: Platform) -> list[Object]:
    """Make the namespaces of all tenants and everything in them that is of no single model.

    Returns:
        For each tenant: Namespace, ResourceQuota, LimitRange, ServiceAccounts, Roles, NetworkPolicies,
        and the mesh's policies.
    """
    return [made for tenant in platform.tenants for made in _tenant(platform, tenant)]


def _tenant(platform: Platform, tenant: Tenant) -> list[Object]:
    make = Maker(platform, tenant.name)
    models = list(platform.owned(tenant.name))
    labels = {"istio-injection": "enabled", **restricted_pods()}
    return [
        make.cluster_wide("v1 Namespace", tenant.name, {}, labels=labels),
        _quota(make, tenant, models),
        make.namespaced("v1 LimitRange", "defaults", {"spec": _container_defaults()}),
        *_service_accounts(make, models),
        *access.objects(make, tenant),
        *_network_policies(platform, make, tenant, models),
        *_mesh_policies(platform, make, tenant, models),
        *_storage_entry(make, models),
        *traces.telemetry(platform, make, {"literal": {"value": tenant.name}}),
    ]


def _quota(make: Maker, tenant: Tenant, models: list[Model]) -> Object:
    """What all pods may take: the models' own share, and what stands beside a model in its pod."""
    limits = tenant.resources
    # While a version is replaced, one pod more of each stands beside the old ones.
    surge = sum(map(_replaced, models))
    pods = surge + (limits.pods or sum(_pods(model) for model in models))
    beside = [_SIDECAR, *([_QUEUE_PROXY] if _serverless(models) else [])]
    hard: Object = {
        # The edge is tier 1's alone.
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "requests.nvidia.com/gpu": str(limits.gpu),
    }
    if limits.pods is not None:
        hard["pods"] = str(pods)
    if limits.cpu is not None:
        extra = surge * max((model.serving.resources.cpu for model in models), default=0)
        for place, kind in enumerate(("requests", "limits")):
            own = pods * sum(taken[place][0] for taken in beside)
            hard[f"{kind}.cpu"] = quantities.cores(limits.cpu + extra + own)
    if limits.memory is not None:
        room = surge * max((model.serving.resources.memory or 0 for model in models), default=0)
        for place, kind in enumerate(("requests", "limits")):
            own = pods * sum(taken[place][1] for taken in beside)
            hard[f"{kind}.memory"] = mebibytes(limits.memory + room + own)
    return make.namespaced("v1 ResourceQuota", "tenant", {"spec": {"hard": hard}})


def _replaced(model: Model) -> int:
    """Pods that there may be beside the usual ones while versions are replaced."""
    if naming.in_pool(model):
        # Of each, a server and the scheduler, which the inventory knows nothing of.
        return 3 * len(naming.pool_services(model))
    return len(naming.inference_services(model))


def _pods(model: Model) -> int:
    most = model.serving.replicas.max if naming.passes_transformer(model) else 0
    return model.processes + most


def mebibytes(size: float) -> str:
    """Write an amount of memory in MiB, rounded up."""
    return f"{-(-int(size) // 2**20)}Mi"


def _container_defaults() -> Object:
    return {
        "limits": [
            {
                "type": "Container",
                "defaultRequest": dict(_DEFAULT_REQUESTS),
                "default": dict(_DEFAULT_LIMITS),
            }
        ]
    }


def _service_accounts(make: Maker, models: list[Model]) -> list[Object]:
    """Identities of a tenant's pods, which hold no token: nothing in them asks the API server."""
    body: Object = {"automountServiceAccountToken": False}
    made = [make.namespaced("v1 ServiceAccount", naming.MODELS, body)]
    if _transformed(models):
        made.append(make.namespaced("v1 ServiceAccount", naming.TRANSFORMERS, body))
    return made


def _transformed(models: list[Model]) -> list[Model]:
    return [model for model in models if naming.passes_transformer(model)]


def _serverless(models: list[Model]) -> list[Model]:
    return [model for model in models if model.serving.mode == "knative"]


def _network_policies(
    platform: Platform, make: Maker, tenant: Tenant, models: list[Model]
) -> list[Object]:
    closed = ["Ingress", "Egress"] if tenant.isolation == "hard" else ["Ingress"]
    tier2 = network.peer(platform.cluster.namespace, naming.TIER2_LABELS)
    spec = {"podSelector": {}, "policyTypes": closed}
    made = [make.namespaced("networking.k8s.io/v1 NetworkPolicy", "default-deny", {"spec": spec})]
    made.append(network.policy(make, "allow-mesh", egress=[network.to_dns(), network.to_istiod()]))
    services = [name for model in models for name in naming.inference_services(model)]
    if services:
        made.append(
            network.policy(
                make,
                "allow-tier2",
                pods=network.of_inference_services(services),
                ingress=[{"from": [tier2]}],
            )
        )
    if transformed := [name for m in _transformed(models) for name in naming.inference_services(m)]:
        made += _between_components(make, transformed)
    if serverless := _serverless(models):
        made.append(_from_knative(make, [model.name for model in serverless]))
    served = [model for model in models if not naming.in_pool(model)]
    if fetching := storage_hosts.fetching(served):
        names = [name for model in fetching for name in naming.inference_services(model)]
        made.append(
            network.policy(
                make,
                "allow-storage",
                pods=network.of_inference_services(names),
                egress=[network.to_public(443)],
            )
        )
    for model in models:
        if naming.in_pool(model):
            made += pools.network_policies(platform, make, model)
    if platform.observability.prometheus != "disabled":
        made.append(network.policy(make, "allow-prometheus", ingress=[network.from_prometheus()]))
    if naming.traced(platform):
        made.append(network.policy(make, "allow-collector", egress=[network.to_collector()]))
    if tenant.isolation == "soft":
        made.append(network.policy(make, "allow-outside", egress=[{}]))
    return made


def _between_components(make: Maker, services: list[str]) -> list[Object]:
    """Let transformers call the predictors that they stand before."""
    predictors = network.of_inference_services(services, "predictor")
    transformers = network.of_inference_services(services, "transformer")
    return [
        network.policy(
            make,
            "allow-to-predictors",
            pods=transformers,
            egress=[{"to": [{"podSelector": predictors}]}],
        ),
        network.policy(
            make,
            "allow-from-transformers",
            pods=predictors,
            ingress=[{"from": [{"podSelector": transformers}]}],
        ),
    ]


def _from_knative(make: Maker, services: list[str]) -> Object:
    """Let the activator, the autoscaler and Knative's gateway reach the pods of one's revisions."""
    return network.policy(
        make,
        "allow-knative",
        pods=network.of_inference_services(services),
        ingress=[
            {
                "from": [
                    network.peer(NAMESPACES["knative"]),
                    network.peer(NAMESPACES["istio"], knative.GATEWAY_LABELS),
                ],
                "ports": network.tcp(*network.QUEUE_PORTS),
            }
        ],
    )


def _mesh_policies(
    platform: Platform, make: Maker, tenant: Tenant, models: list[Model]
) -> list[Object]:
    made = [
        make.namespaced(
            f"{_MESH} PeerAuthentication", "default", {"spec": {"mtls": {"mode": "STRICT"}}}
        ),
        # Empty: it allows nothing, and so everything is refused that no other policy allows.
        make.namespaced(f"{_MESH} AuthorizationPolicy", "default-deny", {"spec": {}}),
    ]
    for model in models:
        who = pools.callers if naming.in_pool(model) else _callers
        made += who(platform, make, model)
    made.append(
        make.namespaced(
            "networking.istio.io/v1 Sidecar",
            "default",
            {"spec": _sidecar(platform, tenant, models)},
        )
    )
    return made


def _callers(platform: Platform, make: Maker, model: Model) -> list[Object]:
    """Say who may call a model's servers: tier 2, and before a predictor its transformer instead."""
    tier2 = naming.tier_principal(platform, naming.TIER2)
    rules: list[Object] = [{"from": [{"source": {"principals": [tier2]}}]}]
    if model.serving.mode == "knative":
        rules = _knative_rules()
    made = []
    for name in naming.inference_services(model):
        selector = {naming.SERVICE_LABEL: name}
        if not naming.passes_transformer(model):
            made.append(_allow(make, name, model, selector, rules))
            continue
        entry = {**selector, naming.COMPONENT_LABEL: "transformer"}
        behind = {**selector, naming.COMPONENT_LABEL: "predictor"}
        transformers = naming.principal(model.tenant, naming.TRANSFORMERS)
        inner: list[Object] = [{"from": [{"source": {"principals": [transformers]}}]}]
        made.append(_allow(make, f"{name}-transformer", model, entry, rules))
        made.append(_allow(make, f"{name}-predictor", model, behind, inner))
    return made


def _knative_rules() -> list[Object]:
    """Who brings a request to a revision: Knative's gateway, or its activator, which also probes."""
    return [
        {"from": [{"source": {"principals": [knative.GATEWAY_PRINCIPAL]}}]},
        {"from": [{"source": {"namespaces": [NAMESPACES["knative"]]}}]},
    ]


def _allow(
    make: Maker, name: str, model: Model, selector: dict[str, str], rules: list[Object]
) -> Object:
    return make.namespaced(
        f"{_MESH} AuthorizationPolicy",
        naming.shortened(f"allow-{name}"),
        {"spec": {"selector": {"matchLabels": selector}, "action": "ALLOW", "rules": rules}},
        model=model.name,
    )


def _sidecar(platform: Platform, tenant: Tenant, models: list[Model]) -> Object:
    """What a tenant's sidecars know of the mesh, and so what its pods can call at all.

    Knative's gateway in Istio's namespace is not among it: whoever may call that may call anybody's model.
    """
    hosts = ["./*", f"{NAMESPACES['istio']}/istiod.{NAMESPACES['istio']}.svc.cluster.local"]
    if naming.traced(platform):
        hosts.append(f"{NAMESPACES['monitoring']}/{naming.COLLECTOR_HOST}")
    mode = "REGISTRY_ONLY" if tenant.isolation == "hard" else "ALLOW_ANY"
    # A request sent on a connection that the server is closing is lost, and may not be repeated. So idle
    # connections inside a pod end before a server ends them (KServe's after 65 s), and where one does so
    # without a word, each request gets its own.
    reuse: Object = {"idleTimeout": "30s"}
    if any(runtime_of(model).name == LLAMACPP for model in models):
        reuse["maxRequestsPerConnection"] = 1
    return {
        "egress": [{"hosts": hosts}],
        "outboundTrafficPolicy": {"mode": mode},
        "inboundConnectionPool": {"http": reuse},
    }


def _storage_entry(make: Maker, models: list[Model]) -> list[Object]:
    """Make the stores of a tenant's models known to its sidecars, and to nobody else's."""
    hosts = storage_hosts.hosts(models)
    if not hosts:
        return []
    spec = {
        "hosts": hosts,
        "exportTo": ["."],
        "location": "MESH_EXTERNAL",
        "resolution": "NONE",
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
    }
    return [make.namespaced("networking.istio.io/v1 ServiceEntry", "storage", {"spec": spec})]
