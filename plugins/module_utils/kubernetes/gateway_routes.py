# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes of tier 1: from a model's name, in the body or in the path, to the host by which tier 2 knows it.

OpenAI's and Anthropic's operations go by AIGatewayRoutes, which read the model from the body. KServe's go by
plain HTTPRoutes, which read it from the path. GET /v1/models answers from the routes themselves, each tenant
its own list: the AI Gateway's own answer would name the models of all tenants.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TypeVar

from ..envoy import replies
from ..inventory import LANGUAGE_APIS, PREDICTIVE_APIS, Model, Platform, ProviderModel
from ..serving.upstreams import upstream
from . import certificates, naming, providers
from .gateway_names import (
    AI_GROUP,
    CREDENTIAL_HEADERS,
    ENVOY_GROUP,
    MODEL_HEADER,
    PLAIN_ROUTE_PREFIX,
    TENANT_HEADER,
    backend_reference,
    gateway_reference,
    is_earlier,
    standalone,
)
from .objects import Maker, Object
from .quantities import duration
from .runtimes import runtime_of

# Rules of an AIGatewayRoute; the controller adds one to those that Gateway API admits.
AI_ROUTE_RULES = 15
# Rules of an HTTPRoute, matches of one rule, and matches of all of them (Gateway API, CEL of HTTPRoute).
ROUTE_RULES = 16
RULE_MATCHES = 64
ROUTE_MATCHES = 128

# Fields of rules that the AI Gateway has not always had. A traffic policy sets the time there.
_LATER = ("name", "streamIdleTimeout")

COSTS = (
    ("llm_input_token", "InputToken"),
    ("llm_output_token", "OutputToken"),
    ("llm_total_token", "TotalToken"),
)

T = TypeVar("T")


def objects(platform: Platform) -> list[Object]:
    """Make backends and routes of all models, those of providers among them."""
    result: list[Object] = []
    for model in platform.models:
        result += _backends(platform, model)
    result += _ai_routes(platform)
    result += _kserve_routes(platform)
    result += _listings(platform)
    return result


def is_language(model: Model) -> bool:
    """Whether a model is asked by the name in a body."""
    return any(api in LANGUAGE_APIS for api in model.publish.apis)


def is_predictive(model: Model) -> bool:
    """Whether a model is asked by the name in a path."""
    return any(api in PREDICTIVE_APIS for api in model.publish.apis)


# -- backends ----------------------------------------------------------------------------------------------


def _backends(platform: Platform, model: Model) -> Iterator[Object]:
    make = Maker(platform)
    name = naming.of_model(model)
    # The AI Gateway writes the endpoint's name into Host; by it, tier 2 knows the model.
    endpoint: Object = {"hostname": naming.model_host(platform, model)}
    spec: Object = {"endpoints": [endpoint]}
    if standalone(platform):
        # The sidecar of tier 1's pod takes it from here, with tier 1's identity.
        endpoint["fqdn"] = {"hostname": "localhost", "port": naming.tier2_port(model)}
    else:
        port = naming.tier2_port(model)
        endpoint["fqdn"] = {"hostname": naming.tier2_host(platform), "port": port}
        spec["tls"] = {
            "caCertificateRefs": [{"group": "", "kind": "Secret", "name": certificates.TIER1_HOP}],
            "clientCertificateRef": {"group": "", "kind": "Secret", "name": certificates.TIER1_HOP},
            "sni": naming.tier2_host(platform),
        }
    yield make.namespaced(f"{ENVOY_GROUP}/v1alpha1 Backend", name, {"spec": spec}, model=model.name)
    if is_language(model):
        api = next(api for api in model.publish.apis if api in LANGUAGE_APIS)
        service = naming.inference_service(model)
        found = upstream(runtime_of(model), model.serving.mode, api, service, model.tenant)
        spec = {
            "schema": {"name": found.schema, "prefix": found.prefix},
            "backendRef": backend_reference(name),
            "headerMutation": {"remove": list(CREDENTIAL_HEADERS)},
        }
        kind = f"{AI_GROUP}/v1beta1 AIServiceBackend"
        yield make.namespaced(kind, name, {"spec": spec}, model=model.name)


# -- models named in the body ------------------------------------------------------------------------------


def _ai_routes(platform: Platform) -> Iterator[Object]:
    plain = [
        _ai_rule(model) for model in platform.models if is_language(model) and not model.fallback
    ]
    plain += [
        providers.rule(provider, model)
        for provider in platform.providers
        for model in provider.models
    ]
    falling = [_ai_rule(model, platform) for model in platform.models if model.fallback]
    for name, rules in ((MODELS_ROUTE, plain), (FALLBACK_ROUTE, falling)):
        for index, some in enumerate(chunks(rules, AI_ROUTE_RULES)):
            yield _ai_route(platform, f"{name}-{index}", some)


MODELS_ROUTE = "models"
FALLBACK_ROUTE = "fallback"


def language_routes(platform: Platform) -> list[str]:
    """Name the routes of models that are named in the body and have no fallback, providers' among them."""
    count = sum(1 for model in platform.models if is_language(model) and not model.fallback)
    count += sum(len(provider.models) for provider in platform.providers)
    return [f"{MODELS_ROUTE}-{index}" for index in range(-(-count // AI_ROUTE_RULES))]


def fallback_routes(platform: Platform) -> list[str]:
    """Name the routes whose models have a fallback, and which therefore need retries."""
    count = sum(1 for model in platform.models if model.fallback)
    return [f"{FALLBACK_ROUTE}-{index}" for index in range(-(-count // AI_ROUTE_RULES))]


def _ai_route(platform: Platform, name: str, rules: list[Object]) -> Object:
    if is_earlier(platform):
        rules = [{key: rule[key] for key in rule if key not in _LATER} for rule in rules]
    spec: Object = {
        "parentRefs": [gateway_reference()],
        "llmRequestCosts": [{"metadataKey": key, "type": kind} for key, kind in COSTS],
        "rules": rules,
    }
    return Maker(platform).namespaced(f"{AI_GROUP}/v1beta1 AIGatewayRoute", name, {"spec": spec})


def _ai_rule(model: Model, platform: Platform | None = None) -> Object:
    backends: list[Object] = [{"name": naming.of_model(model)}]
    if model.fallback and platform:
        provider, other = platform.external(model.fallback)
        backends[0]["priority"] = 0
        backends.append({**providers.backend(provider, other), "priority": 1})
    # A stream may run as long as tokens come: what is bounded is the silence, not the whole.
    return {
        "name": model.name,
        "matches": [model_match(model)],
        "backendRefs": backends,
        "timeouts": {"request": "0s"},
        "streamIdleTimeout": duration(model.serving.request_timeout_seconds),
    }


def model_match(model: Model | ProviderModel) -> Object:
    """Match the requests whose body names a model."""
    return {"headers": [{"type": "Exact", "name": MODEL_HEADER, "value": model.name}]}


# -- models named in the path ------------------------------------------------------------------------------


def kserve_pattern(model: Model) -> str:
    """Write the paths of a model that KServe's protocols have, as a regular expression."""
    name, parts = model.name, []
    if "v1" in model.publish.apis:
        parts.append(f"v1/models/{name}:(predict|explain)")
    if "v2" in model.publish.apis:
        parts.append(f"v2/models/{name}(/.*)?")
    return f"/({'|'.join(parts)})"


def _kserve_routes(platform: Platform) -> Iterator[Object]:
    rules = [_kserve_rule(platform, model) for model in platform.models if is_predictive(model)]
    for index, some in enumerate(chunks(rules, ROUTE_RULES)):
        yield _plain_route(platform, f"{KSERVE_ROUTE}-{index}", some)
    # What no model has is answered in KServe's words too. Also the first route of a request that names a model
    # of the path: a filter that the first route does not switch on stays off, so the AI filter does.
    yield _answer(platform, "kserve-none", 404, replies.kserve_error(404, replies.NOT_FOUND))
    prefixes = ["/v1/models", "/v2/models"]
    if not language_routes(platform) and not fallback_routes(platform):
        # The AI Gateway's routes have every path. Where there are none, a path without a route would ask for no identity.
        prefixes.append("/")
    matches = [{"path": {"type": "PathPrefix", "value": prefix}} for prefix in prefixes]
    yield _plain_route(platform, f"{KSERVE_ROUTE}-none", [_answered(matches, "kserve-none")])


KSERVE_ROUTE = f"{PLAIN_ROUTE_PREFIX}kserve"


def kserve_routes(platform: Platform) -> list[str]:
    """Name the routes of KServe's protocols."""
    count = sum(1 for model in platform.models if is_predictive(model))
    shards = range(-(-count // ROUTE_RULES))
    return [*(f"{KSERVE_ROUTE}-{index}" for index in shards), f"{KSERVE_ROUTE}-none"]


def _kserve_rule(platform: Platform, model: Model) -> Object:
    rewrite = {"type": "URLRewrite", "urlRewrite": {"hostname": naming.model_host(platform, model)}}
    strip = {"remove": list(CREDENTIAL_HEADERS)}
    return {
        "name": model.name,
        "matches": [{"path": {"type": "RegularExpression", "value": kserve_pattern(model)}}],
        "filters": [rewrite, {"type": "RequestHeaderModifier", "requestHeaderModifier": strip}],
        "backendRefs": [backend_reference(naming.of_model(model))],
        "timeouts": {"request": duration(model.serving.request_timeout_seconds)},
    }


# -- GET /v1/models ----------------------------------------------------------------------------------------

LISTING_ROUTE = f"{PLAIN_ROUTE_PREFIX}models"
# What a caller may ask for, whoever it is: the list and one entry of it.
LISTING_PATTERN = "/v1/models(/[^:/]+)?"


def cards(platform: Platform, tenant: str) -> list[Object]:
    """Make OpenAI's list of what a tenant may call."""
    own = [_card(model, model.tenant) for model in platform.allowed(tenant)]
    external = platform.allowed_external(tenant)
    return own + [_card(model, provider.name) for provider, model in external]


def _card(model: Model | ProviderModel, owner: str) -> Object:
    return {"id": model.name, "object": "model", "created": 0, "owned_by": owner}


def _listings(platform: Platform) -> Iterator[Object]:
    rules: list[Object] = []
    callers: dict[str, list[str]] = {}
    entries: dict[str, Object] = {}
    for tenant in platform.tenants:
        mine = cards(platform, tenant.name)
        name = naming.of_tenant(tenant.name)
        yield _answer(platform, name, 200, {"object": "list", "data": mine})
        rules.append(_answered([_listing_match("/v1/models", tenant.name)], name))
        for card in mine:
            callers.setdefault(card["id"], []).append(tenant.name)
            entries[card["id"]] = card
    for model, tenants in callers.items():
        name = naming.shortened(f"model-{model}")
        yield _answer(platform, name, 200, entries[model])
        for some in chunks(tenants, RULE_MATCHES):
            matches = [_listing_match(f"/v1/models/{model}", tenant) for tenant in some]
            rules.append(_answered(matches, name))
    yield _answer(
        platform,
        "models-none",
        404,
        replies.openai_error(404, replies.NOT_FOUND, "model_not_found"),
    )
    anything = {"path": {"type": "RegularExpression", "value": LISTING_PATTERN}}
    rules.append(_answered([anything], "models-none"))
    for index, some_rules in enumerate(_sized(rules)):
        yield _plain_route(platform, f"{LISTING_ROUTE}-{index}", some_rules)


def _listing_match(path: str, tenant: str) -> Object:
    return {
        "path": {"type": "Exact", "value": path},
        "method": "GET",
        "headers": [{"type": "Exact", "name": TENANT_HEADER, "value": tenant}],
    }


# -- what they share ---------------------------------------------------------------------------------------


def _answer(platform: Platform, name: str, status: int, body: Object) -> Object:
    response = {
        "contentType": "application/json",
        "statusCode": status,
        "body": {"type": "Inline", "inline": json.dumps(body, separators=(",", ":"))},
    }
    return Maker(platform).namespaced(
        f"{ENVOY_GROUP}/v1alpha1 HTTPRouteFilter", name, {"spec": {"directResponse": response}}
    )


def _answered(matches: list[Object], answer: str) -> Object:
    reference = {"group": ENVOY_GROUP, "kind": "HTTPRouteFilter", "name": answer}
    return {"matches": matches, "filters": [{"type": "ExtensionRef", "extensionRef": reference}]}


def _plain_route(platform: Platform, name: str, rules: list[Object]) -> Object:
    spec = {"parentRefs": [gateway_reference()], "rules": rules}
    return Maker(platform).namespaced(
        "gateway.networking.k8s.io/v1 HTTPRoute", name, {"spec": spec}
    )


def chunks(items: Sequence[T], size: int) -> list[list[T]]:
    """Share out items so that no part has more than `size`."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def _sized(rules: Sequence[Object]) -> list[list[Object]]:
    """Share out rules so that no route has more rules or matches than Gateway API admits."""
    shards: list[list[Object]] = [[]]
    matches = 0
    for rule in rules:
        if len(shards[-1]) == ROUTE_RULES or matches + len(rule["matches"]) > ROUTE_MATCHES:
            shards.append([])
            matches = 0
        shards[-1].append(rule)
        matches += len(rule["matches"])
    return shards
