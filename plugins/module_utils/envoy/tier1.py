# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1: who is calling, what may they use, which model do they mean, how often may they ask.

Filters, in order: health check, JWT and API keys, RBAC (default deny), request limits per tenant and per key,
body limit, model name from the body, router. The tenant is the header x-tenant-id, which only the JWT filter
sets, from a verified claim: client copies are dropped before any filter runs.
"""

from __future__ import annotations

import ipaddress
import typing as t
from urllib.parse import urlsplit

from . import lua, metrics, replies
from .http import connection_manager, discovered_filter, rds
from .types import JWKS_LEAD_SECONDS, EnvoyConfig, Issuer, Json, Model, Tenant, Tier1
from .xds import (
    CLUSTER,
    EXTENSION,
    LISTENER,
    ROUTES,
    bootstrap,
    certificate_secrets,
    discovery,
    extension,
    pipe,
    seconds,
    tls_context,
    typed,
)

NODE = "tier1"
IDENTITY = "identity"
TOKEN_HEADER = "token-header"  # noqa: S105 - a name
_JWT = "envoy.filters.http.jwt_authn"
# Names by which the inside speaks of a caller. A client that sends them is not believed.
DROPPED_HEADERS = (
    "x-tenant-id",
    "x-user-id",
    "x-ai-eg-model",
    "x-forwarded-client-cert",
    "x-ratelimit-scope",
)
BODY_APIS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "embeddings": "/v1/embeddings",
    "responses": "/v1/responses",
    "messages": replies.ANTHROPIC_PATH,
}
_BODY_FILTER = "model-from-body"


def build(tier: Tier1) -> EnvoyConfig:
    """Tier 1's configuration.

    Args:
        tier: Addresses, certificates, issuers, keys, tenants.

    Returns:
        Bootstrap and discovery files by name.
    """
    filters = _filters(tier)
    routes = _routes(tier)
    clusters = [
        _tier2_cluster(tier),
        metrics.own_cluster(tier.admin_socket),
        *(_jwks_cluster(i) for i in tier.issuers if i.jwks_uri),
    ]
    dynamic = [discovered_filter(tier.directory, name, type_) for name, type_, _ in filters]
    boot = bootstrap(NODE, tier.directory, tier.admin_socket)
    resources: dict[str, Json] = {
        "clusters.json": discovery(CLUSTER, clusters),
        **certificate_secrets("server", tier.server),
        **certificate_secrets("client", tier.client),
        **{
            f"filter-{name}.json": discovery(
                EXTENSION, [{"name": name, "typed_config": typed(type_, body)}]
            )
            for name, type_, body in filters
        },
        "routes.json": discovery(ROUTES, [routes]),
        "listeners.json": discovery(
            LISTENER,
            [
                _listener(tier, dynamic, rds(tier.directory, NODE)),
                metrics.own_listener(tier.metrics_socket, _LOG_FIELDS),
            ],
        ),
    }
    return EnvoyConfig(boot, resources)


def _listener(tier: Tier1, filters: list[Json], routes: Json) -> Json:
    return {
        "name": NODE,
        "address": {"socket_address": {"address": tier.address, "port_value": tier.port}},
        "per_connection_buffer_limit_bytes": 32_768,
        "filter_chains": [
            {
                "transport_socket": extension(
                    "envoy.transport_sockets.tls",
                    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    {
                        "common_tls_context": tls_context(
                            tier.directory, "server", ("h2", "http/1.1")
                        )
                    },
                ),
                "filters": [
                    connection_manager(
                        stat_prefix=NODE,
                        filters=[lua.edge(), lua.model_errors(), _health_check(), *filters],
                        routes=routes,
                        log_fields=_LOG_FIELDS,
                        edge=True,
                        extra={
                            "forward_client_cert_details": "SANITIZE",
                            "early_header_mutation_extensions": [_drop_headers()],
                        },
                    )
                ],
            }
        ],
    }


def _drop_headers() -> Json:
    return extension(
        "envoy.http.early_header_mutation.header_mutation",
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        {"mutations": [{"remove": name} for name in DROPPED_HEADERS]},
    )


def _health_check() -> Json:
    return extension(
        "envoy.filters.http.health_check",
        "envoy.extensions.filters.http.health_check.v3.HealthCheck",
        {
            "pass_through_mode": False,
            "headers": [{"name": ":path", "string_match": {"exact": "/healthz"}}],
        },
    )


def _filters(tier: Tier1) -> list[tuple[str, str, Json]]:
    """(name, type, configuration) of each filter that an inventory can change, in order."""
    http = "envoy.extensions.filters.http"
    return [
        ("one-credential", f"{http}.rbac.v3.RBAC", _one_credential()),
        ("jwt", f"{http}.jwt_authn.v3.JwtAuthentication", _jwt(tier.issuers)),
        ("rbac", f"{http}.rbac.v3.RBAC", _rbac(tier)),
        (
            "limit-tenant",
            f"{http}.local_ratelimit.v3.LocalRateLimit",
            _limit(
                "tenant",
                {"request_headers": {"header_name": "x-tenant-id", "descriptor_key": "tenant"}},
                [(x.name, x.requests_per_minute) for x in tier.tenants],
            ),
        ),
        (
            "limit-key",
            f"{http}.local_ratelimit.v3.LocalRateLimit",
            _limit(
                "key",
                {
                    "metadata": {
                        "descriptor_key": "key",
                        "metadata_key": {"key": _JWT, "path": [{"key": IDENTITY}, {"key": "jti"}]},
                        "source": "DYNAMIC",
                    }
                },
                [(x.id, x.requests_per_minute) for x in tier.keys],
            ),
        ),
        (
            "body-limit",
            f"{http}.buffer.v3.Buffer",
            {"max_request_bytes": tier.max_request_bytes},
        ),
        (_BODY_FILTER, f"{http}.json_to_metadata.v3.JsonToMetadata", _model_from_body()),
    ]


def _jwt(issuers: t.Sequence[Issuer]) -> Json:
    providers = {issuer.name: _provider(issuer) for issuer in issuers}
    requirements = [{"provider_name": name} for name in providers]
    needed: Json = (
        requirements[0]
        if len(requirements) == 1
        else {"requires_any": {"requirements": requirements}}
    )
    return {
        "providers": providers,
        "rules": [{"match": {"prefix": "/"}, "requires": needed}],
        "strip_failure_response": False,
    }


def _provider(issuer: Issuer) -> Json:
    headers = [{"name": "authorization", "value_prefix": "Bearer "}]
    if issuer.from_key_header:
        headers.append({"name": "x-api-key"})
    provider: Json = {
        "issuer": issuer.issuer,
        "audiences": list(issuer.audiences),
        "from_headers": headers,
        "forward": False,
        "payload_in_metadata": IDENTITY,
        "header_in_metadata": TOKEN_HEADER,
        # Routes match on the tenant, which was not known when the first route was chosen.
        "clear_route_cache": True,
        "claim_to_headers": [
            {"header_name": "x-tenant-id", "claim_name": issuer.tenant_claim},
            {"header_name": "x-user-id", "claim_name": "sub"},
        ],
        "require_expiration": True,
        # Envoy allows 60 s by default; clocks that sign and check here are one machine's or NTP's.
        "clock_skew_seconds": 5,
    }
    if issuer.jwks is not None:
        provider["local_jwks"] = {"inline_string": issuer.jwks}
        # A token that was good once is not verified again. Other keys are another configuration, which begins anew.
        provider["jwt_cache_config"] = {"jwt_cache_size": 1000}
    else:
        provider["remote_jwks"] = {
            "http_uri": {
                "uri": issuer.jwks_uri,
                "cluster": f"jwks|{issuer.name}",
                "timeout": "5s",
            },
            "cache_duration": seconds(issuer.jwks_refresh + JWKS_LEAD_SECONDS),
            "async_fetch": {"fast_listener": True},
            "retry_policy": {"num_retries": 3},
        }
    return provider


# RFC 7515, section 7.1: three parts in base64url without padding. Envoy's own reader skips what does not belong there
# and ignores what follows a signature. A signature has 86 characters (ES256, EdDSA), 128 (ES384), or those of an RSA
# key of 1024 bits and more, which is also more than ES512 needs.
_COMPACT_JWT = r"[\w-]+\.[\w-]+\.(?:[\w-]{86}|[\w-]{128}|[\w-]{171,})"


def _one_credential() -> Json:
    # Two credentials in one request leave open which one counts: neither does. The JWT filter removes both
    # headers, so this is asked before it, as is whether a credential has its form.
    forms = {"authorization": f"Bearer {_COMPACT_JWT}", "x-api-key": _COMPACT_JWT}
    present = [{"header": {"name": name, "present_match": True}} for name in forms]
    odd = [
        _all_of(
            {"header": {"name": name, "present_match": True}},
            {"not_id": {"header": {"name": name, "string_match": {"safe_regex": {"regex": form}}}}},
        )
        for name, form in forms.items()
    ]
    return {
        "rules": {
            "action": "DENY",
            "policies": {
                "malformed": {"permissions": [{"any": True}], "principals": odd},
                "two-credentials": {
                    "permissions": [{"any": True}],
                    "principals": [_all_of(*present)],
                },
            },
        }
    }


def _all_of(*ids: Json) -> Json:
    return {"and_ids": {"ids": list(ids)}}


def _rbac(tier: Tier1) -> Json:
    tenants = [t_.name for t_ in tier.tenants]
    policies: Json = {}
    for issuer in tier.issuers:
        ids = [
            _in_metadata([IDENTITY, "iss"], [issuer.issuer]),
            # What fits a key is not always what its issuer signs with: RS256, say, and PS256.
            _in_metadata([TOKEN_HEADER, "alg"], issuer.algorithms),
            _tenant_is(tenants),
            _NO_EXTENSIONS,
        ]
        if issuer.from_key_header:
            keys = [key.id for key in tier.keys]
            if not keys:
                continue
            ids.append(_in_metadata([IDENTITY, "jti"], keys))
        if tenants:
            policies[issuer.name] = {
                "permissions": [{"any": True}],
                "principals": [_all_of(*ids)],
            }
    return {"rules": {"action": "ALLOW", "policies": policies}}


# RFC 7515, section 4.1.11: who does not understand a critical extension must refuse the token. Envoy knows none, and
# does not look.
_NO_EXTENSIONS: Json = {
    "not_id": {
        "sourced_metadata": {
            "metadata_matcher": {
                "filter": _JWT,
                "path": [{"key": TOKEN_HEADER}, {"key": "crit"}],
                "value": {"present_match": True},
            },
            "metadata_source": "DYNAMIC",
        }
    }
}


def _in_metadata(path: t.Sequence[str], values: t.Sequence[str]) -> Json:
    """One of some values at a place of what the JWT filter found out."""
    matchers = [{"string_match": {"exact": value}} for value in values]
    value: Json = matchers[0] if len(matchers) == 1 else {"or_match": {"value_matchers": matchers}}
    return {
        "sourced_metadata": {
            "metadata_matcher": {
                "filter": _JWT,
                "path": [{"key": key} for key in path],
                "value": value,
            },
            "metadata_source": "DYNAMIC",
        }
    }


def _tenant_is(names: t.Sequence[str]) -> Json:
    ids = [_header("x-tenant-id", name) for name in names]
    return {"or_ids": {"ids": [{"header": h} for h in ids]}}


def _header(name: str, value: str) -> Json:
    return {"name": name, "string_match": {"exact": value}}


def _limit(scope: str, action: Json, limits: t.Sequence[tuple[str, int | None]]) -> Json:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "stat_prefix": f"limit_{scope}",
        # Only what a descriptor names is limited: the default bucket never empties.
        "token_bucket": {
            "max_tokens": 4_294_967_295,
            "tokens_per_fill": 4_294_967_295,
            "fill_interval": "60s",
        },
        "always_consume_default_token_bucket": False,
        "filter_enabled": {**always, "runtime_key": f"inferencebox.limit_{scope}"},
        "filter_enforced": {**always, "runtime_key": f"inferencebox.limit_{scope}_enforced"},
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [
            {"header": {"key": "x-ratelimit-scope", "value": scope}},
        ],
        "rate_limits": [{"actions": [action]}],
        "descriptors": [
            {
                "entries": [{"key": scope, "value": value}],
                "token_bucket": {
                    "max_tokens": limit,
                    "tokens_per_fill": limit,
                    "fill_interval": "60s",
                },
            }
            for value, limit in limits
            if limit is not None
        ],
    }


def _model_from_body() -> Json:
    return {
        "request_rules": {
            "rules": [
                {
                    "selectors": [{"key": "model"}],
                    "on_present": {"metadata_namespace": "inferencebox", "key": "model"},
                    "on_missing": {
                        "metadata_namespace": "inferencebox",
                        "key": "no_model",
                        "value": "missing",
                    },
                    "on_error": {
                        "metadata_namespace": "inferencebox",
                        "key": "no_model",
                        "value": "invalid",
                    },
                }
            ],
            # Parameters say nothing that JSON leaves open (RFC 8259, section 11), and many clients send one.
            "allow_content_types_regex": {"regex": r"(?i)application/json\s*(?:;.*)?"},
            "allow_empty_content_type": True,
        }
    }


def _routes(tier: Tier1) -> Json:
    return {
        "name": NODE,
        "max_direct_response_body_size_bytes": 1_048_576,
        "virtual_hosts": [
            {
                "name": "models",
                "domains": ["*"],
                "routes": [
                    _not_encoded(),
                    *(r for tenant in tier.tenants for r in _tenant_routes(tenant)),
                    *_body_fallbacks(),
                    _not_found_openai(),
                    *_other_fallbacks(),
                ],
            }
        ],
    }


def _not_encoded() -> Json:
    # The gateway would not see the model in such a body, and what no server decodes is better said here.
    match = {"prefix": "/", "headers": [{"name": "content-encoding", "present_match": True}]}
    return _answer(match, 415, replies.kserve_error(415))


def _tenant_routes(tenant: Tenant) -> t.Iterator[Json]:
    who = [_header("x-tenant-id", tenant.name)]
    get = [*who, _header(":method", "GET")]
    listing = {"object": "list", "data": [_model_card(m) for m in tenant.models]}
    yield _answer({"path": "/v1/models", "headers": get}, 200, listing)
    for model in tenant.models:
        yield _answer({"path": f"/v1/models/{model.name}", "headers": get}, 200, _model_card(model))
        for api in model.apis:
            if api in BODY_APIS:
                yield _body_route(tenant, who, model, BODY_APIS[api])
        if "v1" in model.apis:
            for verb in (":predict", ":explain"):
                yield _path_route(tenant, who, model, {"path": f"/v1/models/{model.name}{verb}"})
        if "v2" in model.apis:
            base = f"/v2/models/{model.name}"
            yield _path_route(tenant, who, model, {"path": base})
            yield _path_route(tenant, who, model, {"path_separated_prefix": base})


def _model_card(model: Model) -> Json:
    return {"id": model.name, "object": "model", "created": 0, "owned_by": model.owner}


def _answer(match: Json, status: int, body: Json) -> Json:
    return {
        "match": match,
        **replies.direct(status, body),
        "typed_per_filter_config": _NO_BODY_FILTER,
    }


_NO_BODY_FILTER: Json = {
    _BODY_FILTER: typed("envoy.config.route.v3.FilterConfig", {"disabled": True, "config": {}})
}


def _body_route(tenant: Tenant, who: list[Json], model: Model, path: str) -> Json:
    upstream = "/v1/messages" if path == replies.ANTHROPIC_PATH else path
    match = {
        "path": path,
        "headers": [*who, _header(":method", "POST")],
        "dynamic_metadata": [
            {
                "filter": "inferencebox",
                "path": [{"key": "model"}],
                "value": {"string_match": {"exact": model.name}},
            }
        ],
    }
    # A stream may run long as long as tokens come: what is bounded is the silence, not the whole.
    action = {
        "timeout": "0s",
        "idle_timeout": seconds(model.request_timeout),
        "regex_rewrite": {
            "pattern": {"regex": "^[^?]+"},
            "substitution": upstream,
        },
    }
    protocol = "anthropic" if path == replies.ANTHROPIC_PATH else "openai"
    return {
        **_to_tier2(tenant, match, model, action),
        "typed_per_filter_config": lua.model_errors_as(protocol),
    }


def _path_route(tenant: Tenant, who: list[Json], model: Model, match: Json) -> Json:
    action = {"timeout": seconds(model.request_timeout)}
    route = _to_tier2(tenant, {**match, "headers": who}, model, action)
    return {**route, "typed_per_filter_config": _NO_BODY_FILTER}


def _to_tier2(tenant: Tenant, match: Json, model: Model, action: Json) -> Json:
    return {
        "match": match,
        "name": f"{model.owner}/{model.name}",
        # Who calls which model how often, and how fast it is answered: xds.py takes the labels from this.
        "stat_prefix": f"route|{tenant.name}|{model.owner}|{model.name}",
        "route": {"cluster": "tier2", "host_rewrite_literal": model.host, **action},
        "request_headers_to_remove": ["authorization", "x-api-key", "cookie"],
        "metadata": {
            "filter_metadata": {
                "inferencebox.route": {
                    "model": model.name,
                    "owner": model.owner,
                    "version": model.version,
                }
            }
        },
    }


def _body_fallbacks() -> t.Iterator[Json]:
    # A number or a list is no name: such a body is malformed, not one that names a model which is not there.
    text = {"string_match": {"safe_regex": {"regex": "(?s).+"}}}
    named = [{"filter": "inferencebox", "path": [{"key": "model"}], "value": text}]
    post = [_header(":method", "POST")]
    for path in replies.OPENAI_PATHS:
        missing = replies.openai_error(404, replies.NOT_FOUND, "model_not_found")
        match: Json = {"path": path, "headers": post}
        yield {"match": {**match, "dynamic_metadata": named}, **replies.direct(404, missing)}
        yield {"match": match, **replies.direct(400, replies.openai_error(400, replies.NO_MODEL))}
    match = {"path": replies.ANTHROPIC_PATH, "headers": post}
    missing = replies.anthropic_error(404, replies.NOT_FOUND)
    yield {"match": {**match, "dynamic_metadata": named}, **replies.direct(404, missing)}
    yield {"match": match, **replies.direct(400, replies.anthropic_error(400, replies.NO_MODEL))}


def _not_found_openai() -> Json:
    body = replies.openai_error(404, replies.NOT_FOUND, "model_not_found")
    match = {
        "safe_regex": {"regex": "/v1/models/[^:/]+"},
        "headers": [_header(":method", "GET")],
    }
    return _answer(match, 404, body)


def _other_fallbacks() -> t.Iterator[Json]:
    for regex in ("/v1/models/[^/]+:(?:predict|explain)", "/v2/models/.*"):
        yield _answer(
            {"safe_regex": {"regex": regex}}, 404, replies.kserve_error(404, replies.NOT_FOUND)
        )
    openai = {"safe_regex": {"regex": replies.OPENAI_REGEX.removesuffix(r"(?:\?.*)?")}}
    yield _answer(openai, 404, replies.openai_error(404))
    yield _answer({"prefix": "/anthropic/"}, 404, replies.anthropic_error(404, replies.NO_ROUTE))
    yield _answer({"prefix": "/"}, 404, replies.kserve_error(404))


def _tier2_cluster(tier: Tier1) -> Json:
    return {
        "name": "tier2",
        "type": "STATIC",
        "connect_timeout": "2s",
        "per_connection_buffer_limit_bytes": 32_768,
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 4096,
                    "max_pending_requests": 4096,
                    "max_requests": 4096,
                    "max_retries": 64,
                }
            ]
        },
        "transport_socket": extension(
            "envoy.transport_sockets.tls",
            "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            {
                "common_tls_context": tls_context(
                    tier.directory, "client", ("http/1.1",), tier.tier2_identity
                )
            },
        ),
        "load_assignment": {
            "cluster_name": "tier2",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": pipe(tier.tier2_socket)}}]}],
        },
    }


def _jwks_cluster(issuer: Issuer) -> Json:
    parts = urlsplit(str(issuer.jwks_uri))
    host, by_name = _host(parts.hostname or "")
    name = f"jwks|{issuer.name}"
    authority = {"inline_string": issuer.authority} if issuer.authority else _SYSTEM_AUTHORITIES
    expected = {"san_type": "DNS" if by_name else "IP_ADDRESS", "matcher": {"exact": host}}
    context: Json = {
        # RFC 6066, section 3: an address is no server name.
        **({"sni": host} if by_name else {}),
        "common_tls_context": {
            "validation_context": {
                "trusted_ca": authority,
                "match_typed_subject_alt_names": [expected],
            }
        },
    }
    # An issuer that cannot be found must not keep the others from being heard.
    found = {"type": "LOGICAL_DNS", "dns_lookup_family": "ALL", "wait_for_warm_on_init": False}
    endpoint = {"address": {"socket_address": {"address": host, "port_value": parts.port or 443}}}
    return {
        "name": name,
        **(found if by_name else {"type": "STATIC"}),
        "connect_timeout": "5s",
        "transport_socket": extension(
            "envoy.transport_sockets.tls",
            "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            context,
        ),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
    }


# What Debian's package ca-certificates makes.
_SYSTEM_AUTHORITIES = {"filename": "/etc/ssl/certs/ca-certificates.crt"}


def _host(name: str) -> tuple[str, bool]:
    """The host of a URL as certificates write it, and whether it is a name rather than an address."""
    try:
        return str(ipaddress.ip_address(name)), False
    except ValueError:
        return name, True


_LOG_FIELDS: Json = {
    "time": "%START_TIME%",
    "tier": NODE,
    # As the caller was told it: a request that is refused while it is read has none of its own.
    "request_id": "%RESP(x-request-id)%",
    "traceparent": "%REQ(traceparent)%",
    "tenant": "%REQ(x-tenant-id)%",
    "user": "%REQ(x-user-id)%",
    "model": "%METADATA(ROUTE:inferencebox.route:model)%",
    "route": "%ROUTE_NAME%",
    "method": "%REQ(:method)%",
    "path": "%PATH(NQ)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream_ms": "%RESPONSE_DURATION%",
}
