# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP connection manager as both tiers want it: hardened edges, quiet about the inside."""

from __future__ import annotations

import typing as t

from .replies import json_access_log, local_reply_config
from .types import Json
from .xds import extension, watched

_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def connection_manager(
    *,
    stat_prefix: str,
    filters: list[Json],
    routes: Json,
    log_fields: Json,
    edge: bool,
    extra: t.Mapping[str, t.Any] | None = None,
) -> Json:
    """A network filter with Envoy's edge hardening.

    Args:
        stat_prefix: Prefix of the listener's statistics.
        filters: HTTP filters before the router.
        routes: {"rds": ...} or {"route_config": ...}.
        log_fields: JSON access log fields.
        edge: True for the tier that untrusted clients reach: request ids and addresses are made there.
        extra: Further fields of the connection manager.

    Returns:
        The filter as a dict. Limits follow Envoy's edge best practices (HTTP/2 windows and streams, header
        time-out); whole-request time-outs are per route, because streams of tokens are long.
    """
    body: Json = {
        "stat_prefix": stat_prefix,
        **routes,
        "http_filters": [
            *filters,
            extension(
                "envoy.filters.http.router",
                "envoy.extensions.filters.http.router.v3.Router",
                {"suppress_envoy_headers": True},
            ),
        ],
        "normalize_path": True,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {
            "idle_timeout": "3600s",
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": 100,
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
        "max_request_headers_kb": 60,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "300s",
        "use_remote_address": edge,
        "generate_request_id": True,
        "preserve_external_request_id": not edge,
        "always_set_request_id_in_response": edge,
        "server_name": "inferencebox",
        "local_reply_config": local_reply_config(),
        "access_log": [json_access_log(log_fields)],
        **(extra or {}),
    }
    return extension("envoy.filters.network.http_connection_manager", _HCM, body)


def only(identities: t.Sequence[str]) -> Json:
    """A filter that admits callers whose certificate names one of some identities, and nobody else."""
    names = [{"authenticated": {"principal_name": {"exact": each}}} for each in identities]
    policy = {"permissions": [{"any": True}], "principals": names}
    return extension(
        "rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        {"rules": {"action": "ALLOW", "policies": {"identities": policy}}},
    )


def rds(directory: str, name: str) -> Json:
    """Routes found in the watched file routes.json."""
    return {"rds": {"route_config_name": name, "config_source": watched(directory, "routes.json")}}


def discovered_filter(directory: str, name: str, type_name: str) -> Json:
    """An HTTP filter whose configuration is a watched file, so that changing it leaves connections alone."""
    return {
        "name": name,
        "config_discovery": {
            "config_source": watched(directory, f"filter-{name}.json"),
            "type_urls": [f"type.googleapis.com/{type_name}"],
        },
    }
