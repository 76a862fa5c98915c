# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small pieces of Envoy's API that both tiers use: typed Any, discovery files, TLS, durations."""

from __future__ import annotations

import typing as t

from .types import Certificate, Json

TYPE = "type.googleapis.com/"
LISTENER = "envoy.config.listener.v3.Listener"
CLUSTER = "envoy.config.cluster.v3.Cluster"
ROUTES = "envoy.config.route.v3.RouteConfiguration"
ENDPOINTS = "envoy.config.endpoint.v3.ClusterLoadAssignment"
SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a type name
EXTENSION = "envoy.config.core.v3.TypedExtensionConfig"

# Statistics of tier 1's routes: route|<calling tenant>|<owner>|<model>.
_ROUTE = r"vhost\.models\.route\.route"


def typed(name: str, body: t.Mapping[str, t.Any] | None = None) -> Json:
    """An `Any` in Envoy's JSON form: the type's full name beside its fields."""
    return {"@type": TYPE + name, **(body or {})}


def extension(name: str, type_name: str, body: t.Mapping[str, t.Any] | None = None) -> Json:
    """A named extension with its configuration."""
    return {"name": name, "typed_config": typed(type_name, body)}


def seconds(value: float) -> str:
    """A duration in protobuf's JSON form: at most nine decimals and the letter s."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def discovery(type_name: str, resources: t.Iterable[Json]) -> Json:
    """The content of a file that Envoy watches: a discovery response."""
    return {"resources": [typed(type_name, resource) for resource in resources]}


def watched(directory: str, file_name: str, folder: str = "xds") -> Json:
    """Where Envoy finds a discovery file. It is replaced by rename, so the directory is what is watched."""
    return {
        "path_config_source": {
            "path": f"{directory}/{folder}/{file_name}",
            "watched_directory": {"path": f"{directory}/{folder}"},
        },
        "resource_api_version": "V3",
        # A file is there or it is not: waiting the default 15 s for one would only delay a start.
        "initial_fetch_timeout": "1s",
    }


def certificate_secrets(name: str, certificate: Certificate) -> dict[str, Json]:
    """Discovery files for an identity and the CA it trusts: rotation is a rename of the PEM files."""
    directory = certificate.certificate.rsplit("/", 1)[0]
    return {
        f"secret-{name}.json": discovery(SECRET, [_identity(name, certificate, directory)]),
        f"secret-{name}-ca.json": discovery(SECRET, [_authority(name, certificate)]),
    }


def _identity(name: str, certificate: Certificate, directory: str) -> Json:
    return {
        "name": name,
        "tls_certificate": {
            "certificate_chain": {"filename": certificate.certificate},
            "private_key": {"filename": certificate.key},
            "watched_directory": {"path": directory},
        },
    }


def _authority(name: str, certificate: Certificate) -> Json:
    return {
        "name": f"{name}-ca",
        "validation_context": {"trusted_ca": {"filename": certificate.ca}},
    }


def tls_context(directory: str, name: str, alpn: t.Sequence[str], *peers: str) -> Json:
    """CommonTlsContext by SDS; the other side must carry one of the SPIFFE URIs `peers` (none: it is not asked)."""
    context: Json = {
        "alpn_protocols": list(alpn),
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [
            {"name": name, "sds_config": watched(directory, f"secret-{name}.json")}
        ],
    }
    if peers:
        context["combined_validation_context"] = {
            "default_validation_context": {
                "match_typed_subject_alt_names": [
                    {"san_type": "URI", "matcher": {"exact": peer}} for peer in peers
                ]
            },
            "validation_context_sds_secret_config": {
                "name": f"{name}-ca",
                "sds_config": watched(directory, f"secret-{name}-ca.json"),
            },
        }
    return context


def pipe(path: str) -> Json:
    """The address of a Unix socket."""
    return {"pipe": {"path": path}}


def bootstrap(node: str, directory: str, admin_socket: str) -> Json:
    """A bootstrap that holds nothing but where the rest is found; admin on a Unix socket only."""
    return {
        "node": {"id": node, "cluster": node},
        "admin": {"address": {"pipe": {"path": admin_socket, "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": watched(directory, "listeners.json"),
            "cds_config": watched(directory, "clusters.json"),
        },
        # Envoy's edge guidance: bound memory and connections explicitly, defaults are not safe.
        "overload_manager": {
            "refresh_interval": "0.25s",
            "resource_monitors": [
                extension(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "envoy.extensions.resource_monitors.downstream_connections.v3"
                    ".DownstreamConnectionsConfig",
                    {"max_active_downstream_connections": 50_000},
                )
            ],
        },
        # The default, 100, has no room for a pattern that counts characters. All patterns here are the platform's own.
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": {"re2.max_program_size.error_level": 4000}}
            ]
        },
        "stats_config": {
            "stats_tags": [
                {"tag_name": "tenant", "regex": rf"^(?:cluster\.model|{_ROUTE})\|(([^|]+)\|)"},
                {"tag_name": "owner", "regex": rf"^{_ROUTE}\|[^|]+\|(([^|]+)\|)"},
                {
                    "tag_name": "model",
                    "regex": rf"^(?:cluster\.model\|[^|]+|{_ROUTE}\|[^|]+\|[^|]+)\|(([^.]+)\.)",
                },
            ]
        },
    }
