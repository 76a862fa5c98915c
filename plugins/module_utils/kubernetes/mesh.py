# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 2: Istio's gateway between tier 1 and the models.

It takes requests from tier 1 alone, checks tenant and model once more, splits and copies them among a
model's versions, retries what no server has seen, and is the only way to a model server. Its pods come
from Istio's gateway chart, released as ``tier2`` in the platform's namespace.

Models on llm-d are routed by KServe, whose HTTPRoutes lead to InferencePools. Those routes are attached to listeners
of the same pods, one for each tenant, so that tier 2 stays the only way for them too.

Mode `standard` is routed to the Services of a model's versions. Mode `knative` is routed to Knative's
cluster-local gateway, where Knative's own routes choose the revision and split by share. KServe makes no
route that this Gateway has.
"""

from __future__ import annotations

import re

from ..inventory import LANGUAGE_APIS, NAMESPACES, Canary, Model, Platform
from . import keda, knative, naming, network, traces
from .certificates import TIER2_HOP
from .gateway_names import TENANT_HEADER
from .objects import Maker, Object

_NETWORKING = "networking.istio.io/v1"
_LAST_PORT = 65535


def objects(platform: Platform) -> list[Object]:
    """Make tier 2.

    Returns:
        Gateway and its policies; the models' routes are `routes`.
    """
    make = Maker(platform)
    made = [
        make.namespaced(f"{_NETWORKING} Gateway", naming.TIER2, {"spec": _gateway(platform)}),
        make.namespaced(
            "security.istio.io/v1 PeerAuthentication",
            "default",
            {"spec": {"mtls": {"mode": "STRICT"}}},
        ),
        make.namespaced(
            "security.istio.io/v1 AuthorizationPolicy",
            naming.TIER2,
            {"spec": _who_may_call(platform)},
        ),
        _unreached(platform, make),
        # Tier 1 has told whose request it is.
        *traces.telemetry(platform, make, {"header": {"name": TENANT_HEADER}}),
        *_network_policies(platform, make),
        *_pools(platform, make),
    ]
    if platform.engine.gateway == "standalone":
        made += _tier1_in_the_mesh(platform, make)
    if any(model.serving.mode == "knative" for model in platform.models):
        made += [*_knative_closed(platform), *knative.closed(platform)]
    return made


def routes(platform: Platform) -> list[Object]:
    """Make tier 2's routes to models.

    Returns:
        For each model a VirtualService, in mode `standard` with one DestinationRule for each of its versions.
    """
    return [
        made
        for model in platform.models
        if not naming.in_pool(model)
        for made in (
            _knative(platform, model)
            if model.serving.mode == "knative"
            else _model(platform, model)
        )
    ]


def gateway_reference(platform: Platform) -> str:
    """Name the Gateway as routes and KServe's configuration do: namespace/name."""
    return f"{platform.cluster.namespace}/{naming.TIER2}"


def _gateway(platform: Platform) -> Object:
    """One server. A route of a tenant's namespace can only bind to hosts below that tenant's domain."""
    hosts = [f"./{naming.tier2_host(platform)}"]
    hosts += [
        f"{tenant.name}/*.{naming.tenant_domain(platform, tenant.name)}"
        for tenant in platform.tenants
        if platform.owned(tenant.name)
    ]
    tls: Object = {"mode": "ISTIO_MUTUAL"}
    if platform.engine.gateway == "controller":
        tls = {"mode": "MUTUAL", "credentialName": TIER2_HOP, "minProtocolVersion": "TLSV1_2"}
    port = {"number": naming.TIER2_PORT, "name": "https-tier1", "protocol": "HTTPS"}
    return {
        "selector": dict(naming.TIER2_LABELS),
        "servers": [{"port": port, "hosts": hosts, "tls": tls}],
    }


def _who_may_call(platform: Platform) -> Object:
    """Tier 1 alone, and for each model only with a tenant that may call it.

    The second part repeats what tier 1 has decided, so that a mistake there does not open a model.
    """
    source = {"source": {"principals": [naming.tier_principal(platform, naming.TIER1)]}}
    rules = []
    for model in platform.models:
        host = naming.model_host(platform, model)
        callers = [t.name for t in platform.tenants if model in platform.allowed(t.name)]
        operation: Object = {"hosts": [host, f"{host}:*"]}
        if naming.in_pool(model):
            # Of a pool, the path says which, too.
            operation["paths"] = [
                f"/{model.tenant}/{service}/*" for service in naming.pool_services(model)
            ]
        rules.append(
            {
                "from": [source],
                "to": [{"operation": operation}],
                "when": [{"key": f"request.headers[{TENANT_HEADER}]", "values": callers}],
            }
        )
    # Without rules nothing matches, and an ALLOW policy that never matches refuses everything.
    return {
        "selector": {"matchLabels": dict(naming.TIER2_LABELS)},
        "action": "ALLOW",
        "rules": rules,
    }


def _pools(platform: Platform, make: Maker) -> list[Object]:
    """Give KServe's routes to InferencePools listeners of tier 2, each for the hosts of one tenant alone.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#manual-deployment
    """
    tenants = dict.fromkeys(model.tenant for model in platform.models if naming.in_pool(model))
    if not tenants:
        return []
    mode = "MUTUAL" if platform.engine.gateway == "controller" else "ISTIO_MUTUAL"
    tls: Object = {
        "mode": "Terminate",
        "options": {"gateway.istio.io/tls-terminate-mode": mode},
    }
    if mode == "MUTUAL":
        tls["certificateRefs"] = [{"group": "", "kind": "Secret", "name": TIER2_HOP}]
    listeners = [
        {
            "name": tenant,
            "port": naming.POOLS_PORT,
            "protocol": "HTTPS",
            "hostname": f"*.{naming.tenant_domain(platform, tenant)}",
            "tls": tls,
            "allowedRoutes": {
                "namespaces": {
                    "from": "Selector",
                    "selector": {"matchLabels": {network.NAMESPACE_NAME: tenant}},
                }
            },
        }
        for tenant in tenants
    ]
    spec = {
        "gatewayClassName": "istio",
        # Pods that are there already, instead of new ones.
        "addresses": [{"type": "Hostname", "value": naming.tier2_host(platform)}],
        "listeners": listeners,
    }
    return [make.namespaced("gateway.networking.k8s.io/v1 Gateway", naming.POOLS, {"spec": spec})]


def _unreached(platform: Platform, make: Maker) -> Object:
    """Let tier 1 tell what tier 2 says for itself from what a model server says.

    Tier 1 gives callers its own words for the first, and asks again for models that KEDA is about to start.

    https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/local_reply
    """
    unreached: Object = {
        "filter": {
            "status_code_filter": {
                "comparison": {
                    "op": "EQ",
                    "value": {"default_value": 503, "runtime_key": "inferencebox.unreached"},
                }
            }
        },
        "status_code": naming.UNREACHED,
    }
    mappers = [unreached]
    hosts = [naming.model_host(platform, model) for model in keda.from_zero(platform)]
    if hosts:
        names = "|".join(re.escape(host) for host in hosts)
        asked = {
            "name": ":authority",
            "string_match": {"safe_regex": {"regex": f"({names})(:.+)?"}},
        }
        no_replica: Object = {"response_flag_filter": {"flags": ["UH"]}}
        filters = [no_replica, {"header_filter": {"header": asked}}]
        starting = {"filter": {"and_filter": {"filters": filters}}, "status_code": naming.STARTING}
        mappers.insert(0, starting)
    manager = "envoy.filters.network.http_connection_manager"
    value = {
        "typed_config": {
            "@type": "type.googleapis.com/"
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "local_reply_config": {"mappers": mappers},
        }
    }
    match = {"context": "GATEWAY", "listener": {"filterChain": {"filter": {"name": manager}}}}
    patch = {
        "applyTo": "NETWORK_FILTER",
        "match": match,
        "patch": {"operation": "MERGE", "value": value},
    }
    spec = {
        "workloadSelector": {"labels": dict(naming.TIER2_LABELS)},
        "configPatches": [patch],
    }
    return make.namespaced("networking.istio.io/v1alpha3 EnvoyFilter", "unreached", {"spec": spec})


def _network_policies(platform: Platform, make: Maker) -> list[Object]:
    pods = network.with_labels(**naming.TIER2_LABELS)
    tier1 = network.peer(*naming.tier1_pods(platform))
    ingress: list[Object] = [{"from": [tier1], "ports": network.tcp(*naming.tier2_ports(platform))}]
    egress = [network.to_dns(), network.to_istiod()]
    namespaces = [t.name for t in platform.tenants if platform.owned(t.name)]
    if namespaces:
        # To model servers, whatever their port is: their own policies say from whom.
        egress.append({"to": [network.peer(namespace) for namespace in namespaces]})
    if any(model.serving.mode == "knative" for model in platform.models):
        local = network.peer(NAMESPACES["istio"], knative.GATEWAY_LABELS)
        egress.append({"to": [local], "ports": network.tcp(knative.LOCAL_PORT)})
    if platform.observability.prometheus != "disabled":
        ingress.append(network.from_prometheus())
    if naming.traced(platform):
        egress.append(network.to_collector())
    return [network.policy(make, naming.TIER2, pods=pods, ingress=ingress, egress=egress)]


def _tier1_in_the_mesh(platform: Platform, make: Maker) -> list[Object]:
    """Give the one pod of tier 1 its way to tier 2, and to the collector of spans.

    Its sidecar captures nothing; it listens on loopback, and speaks to tier 2 with the mesh's identity.
    """
    host = naming.tier2_host(platform)
    ports = naming.tier2_ports(platform)
    reached = [(f"{platform.cluster.namespace}/{host}", port) for port in ports]
    if naming.traced(platform):
        collector = f"{NAMESPACES['monitoring']}/{naming.COLLECTOR_HOST}"
        reached.append((collector, naming.COLLECTOR_PORT))
    listeners = [
        {
            "port": {"number": port, "protocol": "TCP", "name": f"tcp-{port}"},
            "bind": "127.0.0.1",
            "captureMode": "NONE",
            "hosts": [one],
        }
        for one, port in reached
    ]
    sidecar = {
        "workloadSelector": {"labels": dict(naming.TIER1_LABELS)},
        "egress": listeners,
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    }
    # The name that tier 2's server knows: its other hosts are the models'.
    settings = [
        {"port": {"number": port}, "tls": {"mode": "ISTIO_MUTUAL", "sni": host}} for port in ports
    ]
    rule = {"host": host, "exportTo": ["."], "trafficPolicy": {"portLevelSettings": settings}}
    return [
        make.namespaced(f"{_NETWORKING} Sidecar", naming.TIER1, {"spec": sidecar}),
        make.namespaced(f"{_NETWORKING} DestinationRule", naming.TIER2, {"spec": rule}),
    ]


def _knative_closed(platform: Platform) -> list[Object]:
    """Close the two ways by which any pod could reach any model of mode `knative` to pods elsewhere.

    `knative.closed` does the same by identity.
    """
    tier2 = network.peer(platform.cluster.namespace, naming.TIER2_LABELS)
    serving = network.peer(NAMESPACES["knative"])
    gateways = network.peer(NAMESPACES["istio"], knative.GATEWAY_LABELS)
    before = {"protocol": "TCP", "port": 1, "endPort": knative.LOCAL_PORT - 1}
    after = {"protocol": "TCP", "port": knative.LOCAL_PORT + 1, "endPort": _LAST_PORT}
    local = Maker(platform, namespace=NAMESPACES["istio"])
    activator = Maker(platform, namespace=NAMESPACES["knative"])
    return [
        network.policy(
            local,
            naming.cluster_wide(platform, "knative-local"),
            pods=network.with_labels(**knative.GATEWAY_LABELS),
            ingress=[{"from": [tier2, serving]}, {"ports": [before, after]}],
        ),
        network.policy(
            activator,
            naming.cluster_wide(platform, "activator"),
            pods=network.with_labels(app="activator"),
            ingress=[{"from": [gateways, serving]}, network.from_prometheus(9090)],
        ),
    ]


def _model(platform: Platform, model: Model) -> list[Object]:
    make = Maker(platform, model.tenant)
    variants = [""]
    variants += [naming.CANARY] if model.traffic.canary else []
    variants += [naming.MIRROR] if model.traffic.mirror else []
    made = [
        make.namespaced(
            f"{_NETWORKING} VirtualService",
            model.name,
            {"spec": _virtual_service(platform, model, _standard(model))},
            model=model.name,
            labels={naming.VERSION_LABEL: model.version},
        ),
        *(
            make.namespaced(
                f"{_NETWORKING} DestinationRule",
                naming.model_service(model, variant),
                {"spec": _destination_rule(platform, model, variant)},
                model=model.name,
            )
            for variant in variants
        ),
    ]
    if model.traffic.canary and model.traffic.canary.cohort_header:
        made.append(_cohort(platform, model, model.traffic.canary))
    return made


def _knative(platform: Platform, model: Model) -> list[Object]:
    """Route a model of mode `knative`: its gateway knows the predictor by the host inside the cluster."""
    predictor = f"{model.name}-predictor.{model.tenant}.svc.cluster.local"
    http: Object = {
        "name": _ROUTE,
        "rewrite": {"authority": predictor},
        "route": [{"destination": {"host": naming.KNATIVE_LOCAL, "port": {"number": 80}}}],
    }
    return [
        Maker(platform, model.tenant).namespaced(
            f"{_NETWORKING} VirtualService",
            model.name,
            {"spec": _virtual_service(platform, model, http)},
            model=model.name,
        )
    ]


def _standard(model: Model) -> Object:
    canary = model.traffic.canary
    routes = [
        {"destination": _destination(model), "weight": 100 - (canary.weight if canary else 0)}
    ]
    if canary:
        routes.append({"destination": _destination(model, naming.CANARY), "weight": canary.weight})
    http: Object = {"name": _ROUTE, "route": routes}
    if model.traffic.mirror:
        http["mirrors"] = [
            {"destination": _destination(model, naming.MIRROR), "percentage": {"value": 100.0}}
        ]
    return http


def _virtual_service(platform: Platform, model: Model, http: Object) -> Object:
    if not any(api in LANGUAGE_APIS for api in model.publish.apis):
        # Of a stream of tokens, tier 1 bounds the silence, and nobody the whole.
        http = {**http, "timeout": f"{model.serving.request_timeout_seconds:g}s"}
    http = {
        **http,
        # Each of these happens before a server saw the request: no work is done twice.
        "retries": {"attempts": 2, "retryOn": "connect-failure,refused-stream"},
    }
    return {
        "hosts": [naming.model_host(platform, model)],
        "gateways": [gateway_reference(platform)],
        "exportTo": [platform.cluster.namespace],
        "http": [http],
    }


def _destination(model: Model, variant: str = "") -> Object:
    return {
        "host": naming.service_host(model, variant),
        "port": {"number": naming.SERVICE_PORT},
    }


def _destination_rule(platform: Platform, model: Model, variant: str) -> Object:
    return {
        "host": naming.service_host(model, variant),
        # Tier 2's view alone: a transformer's calls to its predictor keep Istio's defaults.
        "exportTo": [platform.cluster.namespace],
        "trafficPolicy": {
            "tls": {"mode": "ISTIO_MUTUAL"},
            "loadBalancer": {"simple": "LEAST_REQUEST"},
            "connectionPool": {
                "tcp": {"connectTimeout": "1s"},
                "http": {"http1MaxPendingRequests": 1024, "http2MaxRequests": 1024},
            },
            "outlierDetection": {
                "consecutiveGatewayErrors": 3,
                "consecutive5xxErrors": 10,
                "interval": "5s",
                "baseEjectionTime": "5s",
                "maxEjectionPercent": 50,
            },
        },
    }


# Of a VirtualService's one route; an EnvoyFilter finds it by this name.
_ROUTE = "model"


def _cohort(platform: Platform, model: Model, canary: Canary) -> Object:
    """Choose the version by a header's value: a share of its values, and for one value always the same.

    Istio splits by chance alone. Envoy can split by a hash, which this switches on for this one route.
    https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto
    (WeightedCluster.use_hash_policy)
    """
    host = f"{naming.model_host(platform, model)}:{naming.TIER2_PORT}"
    match = {
        "context": "GATEWAY",
        "routeConfiguration": {"vhost": {"name": host, "route": {"name": _ROUTE}}},
    }
    hashed = {"header": {"header_name": canary.cohort_header}}
    value = {"route": {"hash_policy": [hashed], "weighted_clusters": {"use_hash_policy": True}}}
    patch = {"operation": "MERGE", "value": value}
    spec = {
        "workloadSelector": {"labels": dict(naming.TIER2_LABELS)},
        "configPatches": [{"applyTo": "HTTP_ROUTE", "match": match, "patch": patch}],
    }
    return Maker(platform).namespaced(
        "networking.istio.io/v1alpha3 EnvoyFilter",
        naming.shortened(f"cohort-{model.name}"),
        {"spec": spec},
        model=model.name,
    )
