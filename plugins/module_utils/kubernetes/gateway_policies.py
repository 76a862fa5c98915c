# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Policies of tier 1: who is let in, to what, how often, and how a refusal reads.

One SecurityPolicy stands on the Gateway and none on a route: a route's would replace it whole. It denies what
it does not allow, and allows a tenant's claim, verified, together with a model. Where a policy stands on
routes (KServe's answers, retries for fallbacks), it is merged with the Gateway's.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from ..envoy import replies
from ..envoy.tier1 import BODY_APIS
from ..envoy.types import JWKS_LEAD_SECONDS
from ..inventory import Issuer, Model, Platform, Tenant
from . import gateway_routes as routes
from . import keda, naming, providers, quantities
from .gateway_names import (
    EDGE,
    ENVOY_GROUP,
    KEY_HEADER,
    MODEL_HEADER,
    TENANT_HEADER,
    USER_HEADER,
    ApiKey,
    backend_reference,
    gateway_reference,
    is_earlier,
    route_reference,
    standalone,
)
from .objects import Maker, Object

BUILTIN = "builtin"
# The issuer under which the platform signs API keys.
KEYS = "keys"

# Values of one header and of one claim in a rule, and characters of a path (CRD of SecurityPolicy).
_HEADER_VALUES = 256
_CLAIM_VALUES = 128
_PATH_CHARACTERS = 1024
# Characters of a header's value in a limit (CRD of BackendTrafficPolicy).
_SELECTOR_CHARACTERS = 1024
# No tenant can have this name.
_NOBODY = "-"

_TOKENS = "llm_total_token"
_METADATA = "io.envoy.ai_gateway"
# How long a client should wait for a model that cannot answer.
_RETRY_SECONDS = "5"
# Requests that wait at once for models which are being started, in each proxy.
_MOST_HELD = 1024
# Conditions on the path that the caller asked for, in CEL: Envoy has no comprehensions there, and no long regular expressions.
_IS_ANTHROPIC = (
    # Its requests are OpenAI's once the AI Gateway has translated them.
    "('x-ai-eg-original-path' in request.headers ? "
    "request.headers['x-ai-eg-original-path'] : request.path).startsWith('/anthropic/')"
)
_IS_OPENAI = (
    f"(request.url_path in {list(replies.OPENAI_PATHS)} || "
    "(request.url_path.startsWith('/v1/models') && !request.url_path.contains(':')))"
)


# -- identities --------------------------------------------------------------------------------------------


def key_sets(platform: Platform) -> Iterator[Object]:
    """Make what is needed to fetch the keys of issuers whose certificates are private."""
    make = Maker(platform)
    for issuer in platform.identity.issuers:
        if issuer.jwks_uri is None or issuer.ca_file is None:
            continue
        name = naming.issuer_keys(issuer.name)
        host, port = issuer.jwks_host, urlsplit(issuer.jwks_uri).port or 443
        endpoint = {"fqdn": {"hostname": host, "port": port}}
        yield make.namespaced(
            f"{ENVOY_GROUP}/v1alpha1 Backend", name, {"spec": {"endpoints": [endpoint]}}
        )
        authority = {"group": "", "kind": "ConfigMap", "name": naming.shortened(f"{name}-ca")}
        yield make.namespaced(
            "gateway.networking.k8s.io/v1 BackendTLSPolicy",
            name,
            {
                "spec": {
                    "targetRefs": [backend_reference(name)],
                    "validation": {"hostname": host, "caCertificateRefs": [authority]},
                }
            },
            annotations={"istio.io/ignore-policy-attachment": "true"},
        )


def security_policy(platform: Platform, keys: Sequence[ApiKey]) -> Object:
    """Make the one policy that lets callers in.

    Args:
        platform: The platform.
        keys: API keys that are valid now.
    """
    identities = [_provider(platform, issuer) for issuer in platform.identity.issuers]
    rules = [
        rule
        for issuer in platform.identity.issuers
        for tenant in platform.tenants
        for rule in _rules(
            platform, tenant, issuer.name, [_claim(issuer.tenant_claim, tenant.name)]
        )
    ]
    if keys:
        identities.append(_keys_provider(platform))
        for tenant in platform.tenants:
            ids = [key.id for key in keys if key.tenant == tenant.name]
            for some in routes.chunks(ids, _CLAIM_VALUES):
                claims = [_claim("tenant", tenant.name), {"name": "jti", "values": some}]
                rules += _rules(platform, tenant, KEYS, claims)
    return Maker(platform).namespaced(
        f"{ENVOY_GROUP}/v1alpha1 SecurityPolicy",
        EDGE,
        {
            "spec": {
                "targetRefs": [gateway_reference()],
                "jwt": {"providers": identities},
                "authorization": {"defaultAction": "Deny", "rules": rules},
            }
        },
    )


def _provider(platform: Platform, issuer: Issuer) -> Object:
    if issuer.name == BUILTIN:
        return _signed_here(platform, BUILTIN, platform.base_url)
    provider: Object = {
        "name": issuer.name,
        "issuer": issuer.issuer,
        "audiences": list(issuer.audiences),
        **_taken(issuer.tenant_claim),
    }
    if issuer.jwks_uri is None:
        provider["localJWKS"] = _local_keys(issuer.name)
        return provider
    remote: Object = {
        "uri": issuer.jwks_uri,
        "cacheDuration": quantities.duration(issuer.jwks_refresh_seconds + JWKS_LEAD_SECONDS),
    }
    if issuer.ca_file is not None:
        remote["backendRefs"] = [backend_reference(naming.issuer_keys(issuer.name))]
    provider["remoteJWKS"] = remote
    return provider


def _keys_provider(platform: Platform) -> Object:
    provider = _signed_here(platform, KEYS, f"{platform.base_url}/{KEYS}")
    provider["extractFrom"]["headers"].append({"name": "x-api-key"})
    provider["claimToHeaders"].append({"claim": "jti", "header": KEY_HEADER})
    return provider


def _signed_here(platform: Platform, name: str, issuer: str) -> Object:
    return {
        "name": name,
        "issuer": issuer,
        "audiences": [platform.base_url],
        **_taken("tenant"),
        "localJWKS": _local_keys(name),
    }


def _local_keys(name: str) -> Object:
    keys = {"group": "", "kind": "ConfigMap", "name": naming.issuer_keys(name)}
    return {"type": "ValueRef", "valueRef": keys}


def _taken(tenant_claim: str) -> Object:
    return {
        "extractFrom": {"headers": [{"name": "authorization", "valuePrefix": "Bearer "}]},
        "claimToHeaders": [
            {"claim": tenant_claim, "header": TENANT_HEADER},
            {"claim": "sub", "header": USER_HEADER},
        ],
        # Routes that list models match on the tenant, which was not known when the first was chosen.
        "recomputeRoute": True,
    }


def _claim(name: str, value: str) -> Object:
    return {"name": name, "values": [value]}


def _rules(
    platform: Platform, tenant: Tenant, provider: str, claims: list[Object]
) -> Iterator[Object]:
    """Allow what a tenant may call: by model and operation, by path, and the list of it."""
    who = {"jwt": {"provider": provider, "claims": claims}}
    # Two chunks of keys would make rules of one name: the first key tells them apart.
    name = f"{provider}-{tenant.name}" + (f"-{claims[1]['values'][0]}" if len(claims) > 1 else "")
    for api, path in BODY_APIS.items():
        models = [
            model.name for model in platform.allowed(tenant.name) if api in model.publish.apis
        ]
        models += [model.name for _, model in platform.allowed_external(tenant.name)]
        for index, some in enumerate(routes.chunks(models, _HEADER_VALUES)):
            yield {
                "name": f"{name}-{api}-{index}",
                "action": "Allow",
                "operation": {"methods": ["POST"], "path": {"type": "Exact", "value": path}},
                "principal": {**who, "headers": [{"name": MODEL_HEADER, "values": some}]},
            }
    patterns = [
        routes.kserve_pattern(model)
        for model in platform.allowed(tenant.name)
        if routes.is_predictive(model)
    ]
    for index, pattern in enumerate(_joined(patterns, _PATH_CHARACTERS)):
        path_match = {"type": "RegularExpression", "value": pattern}
        yield {
            "name": f"{name}-kserve-{index}",
            "action": "Allow",
            "operation": {"methods": ["GET", "POST"], "path": path_match},
            "principal": who,
        }
    listing = {"type": "RegularExpression", "value": routes.LISTING_PATTERN}
    yield {
        "name": f"{name}-models",
        "action": "Allow",
        "operation": {"methods": ["GET"], "path": listing},
        "principal": who,
    }


# -- limits and answers ------------------------------------------------------------------------------------


def traffic_policies(platform: Platform, keys: Sequence[ApiKey]) -> Iterator[Object]:
    """Make what limits callers and what words refusals."""
    yield _traffic_policy(
        platform,
        EDGE,
        [gateway_reference()],
        {
            **_limits(platform, keys),
            "responseOverride": _overrides(),
            # Envoy's own limit of 1,024 is little for requests that each take seconds.
            "circuitBreaker": {
                "maxConnections": 4096,
                "maxPendingRequests": 4096,
                "maxParallelRequests": 4096,
                "maxParallelRetries": 64,
            },
        },
    )
    starting = keda.from_zero(platform)
    yield _traffic_policy(
        platform,
        "kserve",
        [route_reference(name) for name in routes.kserve_routes(platform)],
        {
            "mergeType": "StrategicMerge",
            "requestBuffer": {"limit": quantities.memory(platform.gateway.max_request_bytes)},
            **_held([model for model in starting if routes.is_predictive(model)]),
        },
    )
    language = [model for model in starting if routes.is_language(model) and not model.fallback]
    plain = routes.language_routes(platform)
    if plain and (fields := {**_held(language), **_idle(platform)}):
        yield _traffic_policy(
            platform,
            routes.MODELS_ROUTE,
            [route_reference(name) for name in plain],
            {"mergeType": "StrategicMerge", **fields},
        )
    if falling := routes.fallback_routes(platform):
        yield _traffic_policy(
            platform,
            routes.FALLBACK_ROUTE,
            [route_reference(name) for name in falling],
            {
                "mergeType": "StrategicMerge",
                **_idle(platform),
                # One try at the model, the next at its fallback; never after the first byte of an answer.
                "retry": {
                    "numRetries": 1,
                    "numAttemptsPerPriority": 1,
                    "retryOn": {
                        "triggers": [
                            "connect-failure",
                            "reset-before-request",
                            "retriable-status-codes",
                        ],
                        "httpStatusCodes": [502, 503, 504, naming.STARTING, naming.UNREACHED],
                    },
                },
            },
        )


def _held(models: Sequence[Model]) -> Object:
    """Ask tier 2 again, about once a second, for models that KEDA is starting; no server has seen the request."""
    if not models:
        return {}
    longest = max(model.serving.start_timeout_seconds for model in models)
    return {
        "retry": {
            "numRetries": math.ceil(longest),
            "perRetry": {"backOff": {"baseInterval": "1s", "maxInterval": "2s"}},
            "retryOn": {
                "triggers": ["retriable-status-codes"],
                "httpStatusCodes": [naming.STARTING],
            },
        },
        "circuitBreaker": {"maxParallelRetries": _MOST_HELD},
    }


def _idle(platform: Platform) -> Object:
    """Bound the time in which a language model says nothing, where routes cannot: as long as any of them may take."""
    if not is_earlier(platform):
        return {}
    times = [m.serving.request_timeout_seconds for m in platform.models if routes.is_language(m)]
    times += [providers.IDLE_SECONDS] * bool(platform.providers)
    return {"timeout": {"http": {"streamIdleTimeout": quantities.duration(max(times))}}}


def _traffic_policy(platform: Platform, name: str, targets: list[Object], fields: Object) -> Object:
    return Maker(platform).namespaced(
        f"{ENVOY_GROUP}/v1alpha1 BackendTrafficPolicy",
        name,
        {"spec": {"targetRefs": targets, **fields}},
    )


def _limits(platform: Platform, keys: Sequence[ApiKey]) -> Object:
    """Count by tenant and by key, from headers that only a verified claim sets.

    Tenants with the same limit share a rule, each with a bucket of its own: an engine admits few rules. So do
    keys.
    """
    rules: list[Object] = []
    alone = standalone(platform)
    for limit, unit, tokens in (
        ("requests_per_minute", "Minute", False),
        ("tokens_per_minute", "Minute", True),
        ("tokens_per_month", "Month", True),
    ):
        limited: defaultdict[int, list[str]] = defaultdict(list)
        for tenant in platform.tenants:
            if (most := getattr(tenant.limits, limit)) is not None:
                limited[most].append(tenant.name)
        for most, tenants in limited.items():
            rules += [
                _limit(TENANT_HEADER, pattern, most, unit, tokens=tokens, shared=not alone)
                for pattern in _joined(tenants, _SELECTOR_CHARACTERS)
            ]
    own: defaultdict[int, list[str]] = defaultdict(list)
    for key in keys:
        if key.requests_per_minute is not None:
            own[key.requests_per_minute].append(key.id)
    for most, ids in own.items():
        rules += [
            _limit(KEY_HEADER, pattern, most, "Minute", tokens=False, shared=not alone)
            for pattern in _joined([re.escape(each) for each in ids], _SELECTOR_CHARACTERS)
        ]
    if not rules and alone:
        # The gateway keeps a field that is gone, and with it limits of before: what counts nobody takes their place.
        rules = [_limit(TENANT_HEADER, _NOBODY, 1, "Minute", tokens=False, shared=False)]
    if not rules:
        return {}
    return {"rateLimit": {"local" if alone else "global": {"rules": rules}}}


def _limit(
    header: str, pattern: str, most: int, unit: str, *, tokens: bool, shared: bool
) -> Object:
    who = [
        {"type": "RegularExpression", "name": header, "value": pattern},
        {"type": "Distinct", "name": header},
    ]
    rule: Object = {
        "clientSelectors": [{"headers": who}],
        "limit": {"requests": most, "unit": unit},
    }
    if tokens:
        # Nothing at the request, so that it is only asked whether anything is left; then what was used.
        rule["cost"] = {
            "request": {"from": "Number", "number": 0},
            "response": {"from": "Metadata", "metadata": {"namespace": _METADATA, "key": _TOKENS}},
        }
    if shared:
        # One bucket over all routes, not one for each.
        rule["shared"] = True
    return rule


def _overrides() -> list[Object]:
    """Word what the gateways themselves answer, in the protocol of the path; a model server's own answers stay as they are.

    429 is left alone: Envoy would drop the headers that say which limit it was, and when to come again.
    """
    rows: list[tuple[int, int, dict[str, str]]] = [
        (400, 400, {}),
        (401, 401, {"www-authenticate": replies.CHALLENGE}),
        # Denied and missing look the same: nobody learns what others have.
        (403, 404, {}),
        (404, 404, {}),
        (408, 408, {}),
        (413, 413, {}),
        (500, 500, {}),
        (502, 502, {}),
        (503, 503, {"retry-after": _RETRY_SECONDS}),
        (504, 504, {}),
    ]
    later = {"retry-after": _RETRY_SECONDS}
    unreached = [
        _override(status, 503, later, source="Backend")
        for status in (naming.STARTING, naming.UNREACHED)
    ]
    return [*(_override(*row) for row in rows), *unreached]


def _override(status: int, shown: int, headers: dict[str, str], *, source: str = "Local") -> Object:
    told = {"x-request-id": "%REQ(x-request-id)%", **headers}
    return {
        "match": {"statusCodes": [{"type": "Value", "value": status}]},
        "source": source,
        "response": {
            "statusCode": shown,
            "contentType": "application/json",
            "body": {"type": "Inline", "inline": _worded(shown)},
            "header": {"set": [{"name": name, "value": value} for name, value in told.items()]},
        },
    }


def _worded(status: int) -> str:
    """A body in Envoy's format language: one text for each protocol, and the path chooses."""
    message = replies.NOT_FOUND if status == 404 else None
    code = "model_not_found" if status == 404 else None
    openai = _cel(replies.openai_error(status, message, code))
    anthropic = _cel(replies.anthropic_error(status, message))
    kserve = _cel(replies.kserve_error(status, message))
    return f"%CEL({_IS_ANTHROPIC} ? {anthropic} : ({_IS_OPENAI} ? {openai} : {kserve}))%"


def _cel(body: Object) -> str:
    """A JSON text as CEL writes strings."""
    text = json.dumps(body, separators=(",", ":"))
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"


def _joined(patterns: Sequence[str], longest: int) -> Iterator[str]:
    """Join alternatives of a regular expression into as few as the limit on their length admits."""
    some: list[str] = []
    for pattern in patterns:
        if some and len("|".join([*some, pattern])) + 2 > longest:
            yield f"({'|'.join(some)})"
            some = []
        some.append(pattern)
    if some:
        yield f"({'|'.join(some)})"
