# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Policies that are accepted and reach nothing, or hide what should hold."""

from __future__ import annotations

from collections.abc import Iterator

from ..objects import Object
from .objects import Finding, Objects, Rule, name, namespace, shown, spec, targets

_POLICIES = (
    "SecurityPolicy",
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
    "EnvoyPatchPolicy",
    "BackendTLSPolicy",
    "BackendSecurityPolicy",
    "QuotaPolicy",
    "AuthorizationPolicy",
    "RequestAuthentication",
)
# Kinds that a set of objects holds whole; a Service or a GatewayClass may well be somebody else's.
_CHECKED = ("Gateway", "HTTPRoute", "Backend", "AIServiceBackend")
# What Envoy knows for certain of a request without a claim.
_DERIVED = ("x-ai-eg-model",)
_CUSTOM_RESPONSE = "envoy.filters.http.custom_response"
_IDENTITY = "envoy.filters.http.jwt_authn"


def policy_without_target(objects: Objects) -> Iterator[Finding]:
    """A target of that name must be in the policy's own namespace."""
    for policy in objects.of(*_POLICIES):
        for path, target in targets(policy):
            kind, called = target.get("kind", ""), target.get("name", "")
            if kind in _CHECKED and not objects.has(kind, namespace(policy), called):
                yield Finding(
                    "policy-without-target",
                    shown(policy),
                    path,
                    f"there is no {kind} {called} in {namespace(policy)}, so the policy does nothing",
                    "Name a target that exists, in the same namespace.",
                )
            elif kind == "Gateway" and (section := target.get("sectionName")):
                gateway = objects.find("Gateway", namespace(policy), called)
                listeners = [each["name"] for each in spec(gateway or {}).get("listeners", [])]
                if gateway and section not in listeners:
                    yield Finding(
                        "policy-without-target",
                        shown(policy),
                        f"{path}.sectionName",
                        f"{called} has no listener {section}, so the policy does nothing",
                        f"Use one of {', '.join(listeners)}.",
                    )


def selector_without_target(objects: Objects) -> Iterator[Finding]:
    """Selectors reach by label, and without a cluster they reach nothing."""
    for policy in objects.of(*_POLICIES):
        for index, selector in enumerate(spec(policy).get("targetSelectors") or []):
            wanted = selector.get("matchLabels") or {}
            found = any(
                wanted.items() <= (each["metadata"].get("labels") or {}).items()
                for each in objects.of(selector.get("kind", ""))
            )
            if objects.standalone or not found:
                reason = "no object has these labels"
                if objects.standalone:
                    reason = "selectors match nothing where Envoy Gateway runs without a cluster"
                yield Finding(
                    "selector-without-target",
                    shown(policy),
                    f"spec.targetSelectors[{index}]",
                    f"{reason}, so what it should close stays open",
                    "Name the target in targetRefs.",
                )


def hidden_policy(objects: Objects) -> Iterator[Finding]:
    """A policy on a route replaces the Gateway's of the same kind, whole."""
    for kind in ("SecurityPolicy", "BackendTrafficPolicy", "EnvoyExtensionPolicy"):
        policies = objects.of(kind)
        guarded = {
            (namespace(each), target["name"])
            for each in policies
            for _, target in targets(each)
            if target.get("kind") == "Gateway"
        }
        for policy in policies:
            if spec(policy).get("mergeType"):
                continue
            for path, target in targets(policy):
                route = _route(objects, namespace(policy), target)
                for gateway in _parents(route) & guarded if route else ():
                    yield Finding(
                        "hidden-policy",
                        shown(policy),
                        path,
                        f"it replaces all of the {kind} on Gateway {gateway[1]} for this route",
                        "Set mergeType, or move what is in it to the Gateway's.",
                    )


def _route(objects: Objects, where: str, target: Object) -> Object | None:
    if target.get("kind") not in ("HTTPRoute", "GRPCRoute"):
        return None
    called = target.get("name", "")
    return objects.find(target["kind"], where, called) or objects.find(
        "AIGatewayRoute", where, called
    )


def _parents(route: Object) -> set[tuple[str, str]]:
    return {
        (parent.get("namespace", namespace(route)), parent["name"])
        for parent in spec(route).get("parentRefs") or []
    }


def identity_on_generated_route(objects: Objects) -> Iterator[Finding]:
    """A request is identified by the route it matched before its body was read."""
    generated = {(namespace(each), name(each)) for each in objects.of("AIGatewayRoute")}
    for policy in objects.of("SecurityPolicy"):
        for path, target in targets(policy):
            if (namespace(policy), target.get("name")) in generated and target.get(
                "kind"
            ) == "HTTPRoute":
                yield Finding(
                    "identity-on-generated-route",
                    shown(policy),
                    path,
                    "who may enter is decided before the model is read from the body, on another route",
                    "Put identities on the Gateway, and allow by claim and x-ai-eg-model.",
                )


def limit_by_unverified_header(objects: Objects) -> Iterator[Finding]:
    """Whoever sends the header chooses the bucket."""
    verified = set(_DERIVED)
    for policy in objects.of("SecurityPolicy"):
        verified |= {header.lower() for _, header in _claimed_headers(policy)}
        if header := spec(policy).get("apiKeyAuth", {}).get("forwardClientIDHeader"):
            verified.add(header.lower())
    for policy, path, selectors in _selectors(objects):
        for index, selector in enumerate(selectors):
            for place, header in enumerate(selector.get("headers") or []):
                if header["name"].lower() not in verified:
                    yield Finding(
                        "limit-by-unverified-header",
                        shown(policy),
                        f"{path}.clientSelectors[{index}].headers[{place}]",
                        f"{header['name']} is what the client says, and another value is another limit",
                        "Use a header that claimToHeaders of a SecurityPolicy sets.",
                    )


def _selectors(objects: Objects) -> Iterator[tuple[Object, str, list[Object]]]:
    for policy in objects.of("BackendTrafficPolicy"):
        for scope in ("global", "local"):
            rules = spec(policy).get("rateLimit", {}).get(scope, {}).get("rules") or []
            for index, rule in enumerate(rules):
                path = f"spec.rateLimit.{scope}.rules[{index}]"
                yield policy, path, rule.get("clientSelectors") or []
    for policy in objects.of("QuotaPolicy"):
        for index, quota in enumerate(spec(policy).get("perModelQuotas") or []):
            for place, bucket in enumerate(quota["quota"].get("bucketRules") or []):
                path = f"spec.perModelQuotas[{index}].quota.bucketRules[{place}]"
                yield policy, path, bucket.get("clientSelectors") or []


def header_from_client(objects: Objects) -> Iterator[Finding]:
    """What the inside believes must be dropped at the edge, on routes without an identity as well."""
    removed = _removed_headers(objects)
    for policy in objects.of("SecurityPolicy"):
        for _, target in targets(policy):
            gone = removed.get((namespace(policy), target.get("name", "")), set())
            for path, header in _claimed_headers(policy):
                if target.get("kind") == "Gateway" and header.lower() not in gone:
                    reason = f"{header} also comes from clients where no token is demanded"
                    yield _from_client(policy, path, reason)
    for route in objects.of("AIGatewayRoute"):
        for gateway in sorted(_parents(route)):
            if objects.has("Gateway", *gateway) and "x-ai-eg-model" not in removed.get(
                gateway, set()
            ):
                reason = f"clients of {gateway[1]} may send x-ai-eg-model, by which the first route is chosen"
                yield _from_client(route, "spec.parentRefs", reason)


def _from_client(each: Object, path: str, reason: str) -> Finding:
    return Finding(
        "header-from-client",
        shown(each),
        path,
        reason,
        "Remove it in earlyRequestHeaders of the Gateway's ClientTrafficPolicy.",
    )


def _removed_headers(objects: Objects) -> dict[tuple[str, str], set[str]]:
    """Map each Gateway to the headers that are dropped at its edge."""
    removed: dict[tuple[str, str], set[str]] = {}
    for policy in objects.of("ClientTrafficPolicy"):
        early = spec(policy).get("headers", {}).get("earlyRequestHeaders", {})
        for _, target in targets(policy):
            gone = removed.setdefault((namespace(policy), target["name"]), set())
            gone |= {each.lower() for each in early.get("remove") or []}
    return removed


def _claimed_headers(policy: Object) -> Iterator[tuple[str, str]]:
    for index, provider in enumerate(spec(policy).get("jwt", {}).get("providers") or []):
        for place, claim in enumerate(provider.get("claimToHeaders") or []):
            yield f"spec.jwt.providers[{index}].claimToHeaders[{place}]", claim["header"]


def model_read_before_identity(objects: Objects) -> Iterator[Finding]:
    """The AI Gateway puts its filter before the first filter that it does not know."""
    if not objects.of("AIGatewayRoute"):
        return
    orders = [spec(each).get("filterOrder") or [] for each in objects.of("EnvoyProxy")]
    placed = any(
        each.get("name") == _CUSTOM_RESPONSE and each.get("after") == _IDENTITY
        for order in orders
        for each in order
    )
    for policy in objects.of("BackendTrafficPolicy"):
        if spec(policy).get("responseOverride") and not placed:
            yield Finding(
                "model-read-before-identity",
                shown(policy),
                "spec.responseOverride",
                "its filter comes first, and draws the AI Gateway's before identity: "
                "GET /v1/models then answers anybody",
                f"Order {_CUSTOM_RESPONSE} after {_IDENTITY} in the EnvoyProxy's filterOrder.",
            )


def cost_without_source(objects: Objects) -> Iterator[Finding]:
    """A cost that nothing writes is nothing: the limit never ends."""
    written = {
        cost["metadataKey"]
        for each in objects.of("AIGatewayRoute")
        for cost in spec(each).get("llmRequestCosts") or []
    } | {
        cost["metadataKey"]
        for each in objects.of("GatewayConfig")
        for cost in spec(each).get("globalLLMRequestCosts") or []
    }
    for policy in objects.of("BackendTrafficPolicy"):
        rules = spec(policy).get("rateLimit", {}).get("global", {}).get("rules") or []
        for index, rule in enumerate(rules):
            metadata = rule.get("cost", {}).get("response", {}).get("metadata", {})
            ours = metadata.get("namespace") == "io.envoy.ai_gateway"
            if ours and metadata.get("key") not in written:
                yield Finding(
                    "cost-without-source",
                    shown(policy),
                    f"spec.rateLimit.global.rules[{index}].cost.response",
                    f"no route writes {metadata.get('key')}, so nothing is ever counted",
                    "Add it to llmRequestCosts of the routes.",
                )


def quota_ignored(objects: Objects) -> Iterator[Finding]:
    """Quotas know models by their name at the provider, and no service as a whole."""
    overrides = {
        reference.get("modelNameOverride")
        for route in objects.of("AIGatewayRoute")
        for rule in spec(route).get("rules") or []
        for reference in rule.get("backendRefs") or []
    }
    for policy in objects.of("QuotaPolicy"):
        if "serviceQuota" in spec(policy):
            yield Finding(
                "quota-ignored",
                shown(policy),
                "spec.serviceQuota",
                "it is accepted and not enforced",
                "Limit in a BackendTrafficPolicy.",
            )
        for index, quota in enumerate(spec(policy).get("perModelQuotas") or []):
            if quota["modelName"] not in overrides:
                yield Finding(
                    "quota-ignored",
                    shown(policy),
                    f"spec.perModelQuotas[{index}].modelName",
                    f"no backend has {quota['modelName']} as modelNameOverride, so nothing is counted",
                    "Use the name that the provider gets.",
                )


def token_optional(objects: Objects) -> Iterator[Finding]:
    """A RequestAuthentication refuses wrong tokens; none at all passes."""
    for policy in objects.of("RequestAuthentication"):
        demanded = any(
            namespace(other) == namespace(policy)
            and any(
                source.get("source", {}).get("requestPrincipals")
                for rule in spec(other).get("rules") or []
                for source in rule.get("from") or []
            )
            for other in objects.of("AuthorizationPolicy")
        )
        if not demanded:
            yield Finding(
                "token-optional",
                shown(policy),
                "spec.jwtRules",
                "a request without a token passes",
                "Add an AuthorizationPolicy that demands requestPrincipals.",
            )


def policy_read_twice(objects: Objects) -> Iterator[Finding]:
    """Istio reads BackendTLSPolicies too."""
    mesh = objects.of("VirtualService", "DestinationRule", "PeerAuthentication")
    for policy in objects.of("BackendTLSPolicy"):
        told = (policy["metadata"].get("annotations") or {}).get(
            "istio.io/ignore-policy-attachment"
        )
        if mesh and told != "true":
            yield Finding(
                "policy-read-twice",
                shown(policy),
                "metadata.annotations",
                "Istio in the same cluster reads it too",
                'Add istio.io/ignore-policy-attachment: "true".',
            )


RULES: tuple[Rule, ...] = (
    policy_without_target,
    selector_without_target,
    hidden_policy,
    identity_on_generated_route,
    limit_by_unverified_header,
    header_from_client,
    model_read_before_identity,
    cost_without_source,
    quota_ignored,
    token_optional,
    policy_read_twice,
)
