# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 2: the only way to a model server.

Accepts tier 1's mTLS identity and nobody else, chooses the model by host, sends the request to a healthy replica
with that model's own credential, and retries only what never reached a server.
"""

from __future__ import annotations

import typing as t

from . import metrics, replies
from .http import connection_manager, only, rds
from .types import EnvoyConfig, Json, Model, Replica, Tier2
from .xds import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SECRET,
    bootstrap,
    certificate_secrets,
    discovery,
    extension,
    pipe,
    seconds,
    tls_context,
    typed,
    watched,
)

NODE = "tier2"


def build(tier: Tier2) -> EnvoyConfig:
    """Tier 2's configuration, without its endpoints: those follow readiness, see `endpoints`.

    Args:
        tier: Sockets, certificates, models, credentials.

    Returns:
        Bootstrap and discovery files by name.
    """
    routes = _routes(tier)
    clusters = [
        *(_cluster(tier, model) for model in tier.models),
        *(_replica_cluster(tier, model) for model in tier.models),
        metrics.own_cluster(tier.admin_socket),
        metrics.tier1_cluster(tier.metrics),
    ]
    boot = bootstrap(NODE, tier.directory, tier.admin_socket)
    resources: dict[str, Json] = {
        "clusters.json": discovery(CLUSTER, clusters),
        **certificate_secrets("server", tier.server),
        **{
            f"credential-{_file(model)}.json": discovery(SECRET, [_credential(tier, model)])
            for model in tier.models
        },
        "routes.json": discovery(ROUTES, [routes]),
        "listeners.json": discovery(
            LISTENER,
            [
                _listener(tier, rds(tier.directory, NODE)),
                metrics.listener(tier.metrics, tier.directory, tier.models, _LOG_FIELDS),
            ],
        ),
    }
    return EnvoyConfig(boot, resources)


def endpoints(live: t.Mapping[Model, t.Sequence[Replica]]) -> dict[str, Json]:
    """Discovery files with each model's replicas: file name -> content. An empty list means: answer 503."""
    return {
        endpoints_file(model): discovery(
            ENDPOINTS,
            [
                {
                    "cluster_name": model.cluster,
                    "endpoints": [{"lb_endpoints": [_endpoint(replica) for replica in replicas]}],
                }
            ],
        )
        for model, replicas in live.items()
    }


def _endpoint(replica: Replica) -> Json:
    chosen_by = {"envoy.lb": {metrics.REPLICA: replica.name}}
    return {
        "endpoint": {"address": pipe(replica.socket)},
        "metadata": {"filter_metadata": chosen_by},
    }


def endpoints_file(model: Model) -> str:
    """Name of the model's endpoint file: Envoy wants one file for each cluster."""
    return f"{_file(model)}.json"


def _file(model: Model) -> str:
    return f"{model.owner}.{model.name}"


def _listener(tier: Tier2, routes: Json) -> Json:
    return {
        "name": NODE,
        "address": {"pipe": {"path": tier.socket, "mode": 0o660}},
        "per_connection_buffer_limit_bytes": 32_768,
        "filter_chains": [
            {
                "transport_socket": extension(
                    "envoy.transport_sockets.tls",
                    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    {
                        "require_client_certificate": True,
                        "common_tls_context": tls_context(
                            tier.directory, "server", ("http/1.1",), tier.tier1_identity
                        ),
                    },
                ),
                "filters": [
                    connection_manager(
                        stat_prefix=NODE,
                        filters=[only([tier.tier1_identity])],
                        routes=routes,
                        log_fields=_LOG_FIELDS,
                        edge=False,
                    )
                ],
            }
        ],
    }


def _routes(tier: Tier2) -> Json:
    return {
        "name": NODE,
        "virtual_hosts": [
            *(_virtual_host(model) for model in tier.models),
            {
                "name": "unknown",
                "domains": ["*"],
                "routes": [
                    {
                        "match": {"prefix": "/"},
                        **replies.direct(
                            404, replies.openai_error(404, replies.NOT_FOUND, "model_not_found")
                        ),
                    }
                ],
            },
        ],
    }


def _virtual_host(model: Model) -> Json:
    return {
        "name": f"{model.owner}/{model.name}",
        "domains": [model.host],
        "request_headers_to_remove": ["authorization"],
        "response_headers_to_remove": ["server", "date"],
        "routes": [
            {
                "match": {"prefix": "/"},
                "name": f"{model.owner}/{model.name}",
                "route": {
                    "cluster": model.cluster,
                    "timeout": "0s",
                    "idle_timeout": seconds(model.request_timeout),
                    # Each of these happens before a server saw the request: no work is done twice.
                    "retry_policy": {
                        "retry_on": "connect-failure,refused-stream",
                        "num_retries": 2,
                        "host_selection_retry_max_attempts": 3,
                        "retry_host_predicate": [
                            extension(
                                "envoy.retry_host_predicates.previous_hosts",
                                "envoy.extensions.retry.host.previous_hosts.v3"
                                ".PreviousHostsPredicate",
                            )
                        ],
                    },
                },
            }
        ],
    }


def _cluster(tier: Tier2, model: Model) -> Json:
    return {
        "name": model.cluster,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": watched(tier.directory, endpoints_file(model), "endpoints")
        },
        "connect_timeout": "1s",
        "per_connection_buffer_limit_bytes": 32_768,
        "lb_policy": "LEAST_REQUEST",
        # Below any share of healthy replicas Envoy would otherwise use sick ones too.
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 0},
            # By default what health checks find within a second of another change is held back until that second is
            # over: a replica that has just become ready, or come back, would be refused for so long.
            "update_merge_window": "0s",
        },
        "health_checks": [
            {
                "timeout": "2s",
                "interval": "2s",
                "no_traffic_interval": "2s",
                "unhealthy_interval": "0.5s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "http_health_check": {"host": model.host, "path": model.health_path},
            }
        ],
        "outlier_detection": {
            "consecutive_gateway_failure": 3,
            # A 500 is a model's word on a request that it cannot answer. Counted, it would let one caller's
            # requests take the model from all others.
            "enforcing_consecutive_5xx": 0,
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
        },
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024}
            ]
        },
        "typed_extension_protocol_options": _with_credential(tier, model),
    }


def _replica_cluster(tier: Tier2, model: Model) -> Json:
    """The same replicas, chosen by name: for their counters only."""
    eds = watched(tier.directory, endpoints_file(model), "endpoints")
    return {
        "name": metrics.cluster_name(model),
        "type": "EDS",
        "eds_cluster_config": {"service_name": model.cluster, "eds_config": eds},
        "connect_timeout": "1s",
        "lb_subset_config": {
            "fallback_policy": "NO_FALLBACK",
            "subset_selectors": [{"keys": [metrics.REPLICA]}],
        },
        "typed_extension_protocol_options": _with_credential(tier, model),
    }


def _with_credential(tier: Tier2, model: Model) -> Json:
    return {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            {
                "common_http_protocol_options": _reuse(model),
                "explicit_http_config": {"http_protocol_options": {}},
                "http_filters": [_inject_credential(tier, model), _upstream_codec()],
            },
        )
    }


def _reuse(model: Model) -> Json:
    # A request sent on a connection that the server is closing is lost, and may not be repeated: a server's
    # idle connections are given up before it does so itself (KServe's after 65 s), and one that closes without
    # a word gets a new connection for each request, which on a Unix socket costs next to nothing.
    once = {} if model.keeps_connections else {"max_requests_per_connection": 1}
    return {"idle_timeout": "30s", **once}


def _inject_credential(tier: Tier2, model: Model) -> Json:
    name = _file(model)
    return extension(
        "envoy.filters.http.credential_injector",
        "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
        {
            "overwrite": True,
            "credential": extension(
                "envoy.http.injected_credentials.generic",
                "envoy.extensions.http.injected_credentials.generic.v3.Generic",
                {
                    "credential": {
                        "name": name,
                        "sds_config": watched(tier.directory, f"credential-{name}.json"),
                    },
                    "header": "authorization",
                },
            ),
        },
    )


def _upstream_codec() -> Json:
    return extension(
        "envoy.filters.http.upstream_codec",
        "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
    )


def _credential(tier: Tier2, model: Model) -> Json:
    return {
        "name": _file(model),
        "generic_secret": {"secret": {"filename": tier.credentials[model.cluster]}},
    }


_LOG_FIELDS: Json = {
    "time": "%START_TIME%",
    "tier": NODE,
    "request_id": "%REQ(x-request-id)%",
    "traceparent": "%REQ(traceparent)%",
    "tenant": "%REQ(x-tenant-id)%",
    "user": "%REQ(x-user-id)%",
    "route": "%ROUTE_NAME%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "method": "%REQ(:method)%",
    "path": "%PATH(NQ)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream_ms": "%RESPONSE_DURATION%",
}
