# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's counters for who may read them: one listener at tier 2, and behind it each part's own page.

Envoy's admin interface shows its counters and can also stop it. So nobody is let at it: each tier has a route to its own
admin socket for the one page that only shows, and tier 2 is the one place where readers ask, with a certificate.
"""

from __future__ import annotations

import typing as t

from . import replies
from .http import connection_manager, only
from .types import Json, Metrics, Model
from .xds import extension, pipe, tls_context, typed

TIER1_PATH = "/tier1"
TIER2_PATH = "/tier2"
REPLICA = "replica"
_ADMIN = "metrics|admin"
_TIER1 = "metrics|tier1"
# Counters that were never touched say nothing and are most of the page.
_PAGE = "/stats/prometheus?usedonly"


def replica_path(model: Model, replica: str) -> str:
    """Where tier 2 shows the counters of one replica."""
    return f"/models/{model.owner}/{model.name}/{replica}"


def cluster_name(model: Model) -> str:
    """The cluster by which one replica is chosen: the model's own would count these requests, and choose any."""
    return f"metrics|{model.owner}|{model.name}"


def own_listener(socket: str, log_fields: Json) -> Json:
    """A tier's own counters on a Unix socket, which only its owner and group can reach."""
    routes = _routes("own-metrics", [_route({"path": "/"}, _ADMIN, _PAGE)])
    return {
        "name": "metrics",
        "address": {"pipe": {"path": socket, "mode": 0o660}},
        "filter_chains": [{"filters": [_manager("own_metrics", [], routes, log_fields)]}],
    }


def own_cluster(admin_socket: str) -> Json:
    """The admin socket as a cluster."""
    return _static(_ADMIN, admin_socket)


def tier1_cluster(metrics: Metrics) -> Json:
    """Tier 1's own listener as a cluster of tier 2."""
    return _static(_TIER1, metrics.tier1_socket)


def listener(metrics: Metrics, directory: str, models: t.Sequence[Model], log_fields: Json) -> Json:
    """The listener that readers ask."""
    routes = _routes(
        "metrics",
        [
            _route({"path": TIER1_PATH}, _TIER1, "/"),
            _route({"path": TIER2_PATH}, _ADMIN, _PAGE),
            *(
                _route(
                    {"path_separated_prefix": f"/models/{model.owner}/{model.name}"},
                    cluster_name(model),
                    "/metrics",
                    model.host,
                )
                for model in models
            ),
        ],
    )
    manager = _manager("metrics", [only(metrics.readers), _replica_from_path()], routes, log_fields)
    context = {
        "require_client_certificate": True,
        "common_tls_context": tls_context(
            directory, "server", ("h2", "http/1.1"), *metrics.readers
        ),
    }
    return {
        "name": "metrics",
        "address": {"socket_address": {"address": metrics.address, "port_value": metrics.port}},
        "filter_chains": [
            {
                "transport_socket": extension(
                    "envoy.transport_sockets.tls",
                    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    context,
                ),
                "filters": [manager],
            }
        ],
    }


def _replica_from_path() -> Json:
    # Envoy chooses among the endpoints of a cluster by what the metadata envoy.lb of a request says.
    rewrite = {"pattern": {"regex": r"^.*/([^/?]+)(?:\?.*)?$"}, "substitution": r"\1"}
    return extension(
        "replica-from-path",
        "envoy.extensions.filters.http.header_to_metadata.v3.Config",
        {
            "request_rules": [
                {
                    "header": ":path",
                    "on_header_present": {
                        "metadata_namespace": "envoy.lb",
                        "key": REPLICA,
                        "regex_value_rewrite": rewrite,
                    },
                    "remove": False,
                }
            ]
        },
    )


def _manager(prefix: str, filters: list[Json], routes: Json, log_fields: Json) -> Json:
    return connection_manager(
        stat_prefix=prefix,
        filters=filters,
        routes={"route_config": routes},
        log_fields=log_fields,
        edge=False,
    )


def _routes(name: str, routes: list[Json]) -> Json:
    nothing = {"match": {"prefix": "/"}, **replies.direct(404, replies.kserve_error(404))}
    return {
        "name": name,
        # A cluster that is new, too, may come a moment later.
        "validate_clusters": False,
        "virtual_hosts": [{"name": name, "domains": ["*"], "routes": [*routes, nothing]}],
    }


def _route(match: Json, cluster: str, path: str, host: str | None = None) -> Json:
    get = {"name": ":method", "string_match": {"exact": "GET"}}
    return {
        "match": {**match, "headers": [get]},
        "route": {
            "cluster": cluster,
            "timeout": "10s",
            "regex_rewrite": {"pattern": {"regex": "^.*$"}, "substitution": path},
            **({"host_rewrite_literal": host} if host else {}),
        },
    }


def _static(name: str, socket: str) -> Json:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": pipe(socket)}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                {"explicit_http_config": {"http_protocol_options": {}}},
            )
        },
    }
