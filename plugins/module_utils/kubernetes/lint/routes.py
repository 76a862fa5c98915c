# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes that nobody answers, or that answer for somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from ..gateway_names import PLAIN_ROUTE_PREFIX
from ..objects import Object
from .objects import (
    Finding,
    Objects,
    Rule,
    backend_references,
    made_services,
    name,
    namespace,
    shown,
    spec,
)

_GATEWAY = "gateway.networking.k8s.io"
_ENVOY = "gateway.envoyproxy.io"
_AI = "aigateway.envoyproxy.io"
_POOL = "inference.networking.k8s.io"
_CLUSTER = ".svc.cluster.local"
_ROUTES = ("HTTPRoute", "GRPCRoute", "AIGatewayRoute")


def backend_without_object(objects: Objects) -> Iterator[Finding]:
    """Where a route sends requests, there must be something."""
    for route in objects.of(*_ROUTES):
        for path, reference in backend_references(route):
            kind = _backend_kind(route, reference)
            where = reference.get("namespace", namespace(route))
            if kind in ("Backend", "AIServiceBackend") and not objects.has(
                kind, where, reference["name"]
            ):
                yield _missing(route, path, f"{kind} {where}/{reference['name']}")
    for backend in objects.of("AIServiceBackend"):
        reference = spec(backend).get("backendRef") or {}
        where = reference.get("namespace", namespace(backend))
        if not objects.has("Backend", where, reference.get("name", "")):
            yield _missing(backend, "spec.backendRef", f"Backend {where}/{reference.get('name')}")


def _missing(each: Object, path: str, what: str) -> Finding:
    return Finding(
        "backend-without-object",
        shown(each),
        path,
        f"there is no {what}: requests end in 500, and without a cluster the gateway in a crash",
        "Add it, or remove the reference.",
    )


def _backend_kind(route: Object, reference: Object) -> str:
    if route["kind"] == "AIGatewayRoute":
        return str(reference.get("kind", "AIServiceBackend"))
    return str(reference.get("kind", "Service"))


def destination_without_service(objects: Objects) -> Iterator[Finding]:
    """KServe makes the Services of models, and only of those that it is given."""
    made = {
        f"{service}.{namespace(each)}.svc.cluster.local"
        for each in objects.of("InferenceService")
        for service in made_services(each)
    }
    for virtual in objects.of("VirtualService"):
        for index, http in enumerate(spec(virtual).get("http") or []):
            for place, route in enumerate(http.get("route") or []):
                host = route.get("destination", {}).get("host", "")
                service, _, rest = host.partition(".")
                ours = service.endswith(("-predictor", "-transformer")) and rest.endswith(_CLUSTER)
                if ours and host not in made:
                    yield Finding(
                        "destination-without-service",
                        shown(virtual),
                        f"spec.http[{index}].route[{place}].destination.host",
                        f"no InferenceService makes {host}, so requests end in 503",
                        "Add the InferenceService, or send requests elsewhere.",
                    )


def reference_without_grant(objects: Objects) -> Iterator[Finding]:
    """What refers into another namespace needs that namespace's leave."""
    for each, path, sources, target in _references(objects):
        group, kind, where = target
        if where == namespace(each):
            continue
        for source_group, source_kind in sources:
            if not _granted(objects, (source_group, source_kind, namespace(each)), target):
                yield Finding(
                    "reference-without-grant",
                    shown(each),
                    path,
                    f"{where} does not let {source_kind}s of {namespace(each)} refer to its {kind}s",
                    f"Add a ReferenceGrant in {where}: from {source_group} {source_kind}, "
                    f"to {group or 'the core group'} {kind}; or keep both in one namespace.",
                )


_Target = tuple[str, str, str]
# An object, a path in it, the kinds that need a grant for it, and what is referred to: group, kind, namespace.
_Reference = tuple[Object, str, list[tuple[str, str]], _Target]


def _references(objects: Objects) -> Iterator[_Reference]:
    for route in objects.of("HTTPRoute", "GRPCRoute"):
        for path, reference in backend_references(route):
            yield route, path, [(_GATEWAY, route["kind"])], _target(reference, route)
    for route in objects.of("AIGatewayRoute"):
        yield from _ai_references(route)
    for gateway in objects.of("Gateway"):
        for index, listener in enumerate(spec(gateway).get("listeners") or []):
            for place, reference in enumerate(listener.get("tls", {}).get("certificateRefs") or []):
                path = f"spec.listeners[{index}].tls.certificateRefs[{place}]"
                target = ("", "Secret", reference.get("namespace", namespace(gateway)))
                yield gateway, path, [(_GATEWAY, "Gateway")], target
    for policy in objects.of("SecurityPolicy"):
        for index, provider in enumerate(spec(policy).get("jwt", {}).get("providers") or []):
            keys = provider.get("remoteJWKS", {}).get("backendRefs") or []
            for place, reference in enumerate(keys):
                path = f"spec.jwt.providers[{index}].remoteJWKS.backendRefs[{place}]"
                yield policy, path, [(_ENVOY, "SecurityPolicy")], _target(reference, policy)


def _ai_references(route: Object) -> Iterator[_Reference]:
    for path, reference in backend_references(route):
        where = reference.get("namespace", namespace(route))
        if reference.get("kind") == "InferencePool":
            both = [(_AI, "AIGatewayRoute"), (_GATEWAY, "HTTPRoute")]
            yield route, path, both, (_POOL, "InferencePool", where)
            continue
        yield route, path, [(_AI, "AIGatewayRoute")], (_AI, "AIServiceBackend", where)
        # The route that is made of it refers to the Backend behind.
        yield route, path, [(_GATEWAY, "HTTPRoute")], (_ENVOY, "Backend", where)


def _target(reference: Object, owner: Object) -> _Target:
    return (
        reference.get("group", ""),
        reference.get("kind", "Service"),
        reference.get("namespace", namespace(owner)),
    )


def _granted(objects: Objects, source: _Target, target: _Target) -> bool:
    group, kind, where = target
    return any(
        namespace(grant) == where
        and any((f["group"], f["kind"], f["namespace"]) == source for f in spec(grant)["from"])
        and any((t["group"], t["kind"]) == (group, kind) for t in spec(grant)["to"])
        for grant in objects.of("ReferenceGrant")
    )


def route_not_admitted(objects: Objects) -> Iterator[Finding]:
    """A listener admits routes of its own namespace alone, unless it says otherwise."""
    for route in objects.of(*_ROUTES):
        for index, parent in enumerate(spec(route).get("parentRefs") or []):
            where = parent.get("namespace", namespace(route))
            gateway = objects.find("Gateway", where, parent["name"])
            path = f"spec.parentRefs[{index}]"
            if parent.get("kind", "Gateway") != "Gateway":
                continue
            if gateway is None:
                reason, remedy = (
                    f"there is no Gateway {where}/{parent['name']}",
                    "Name one that exists.",
                )
            elif where != namespace(route) and not _admits_others(gateway, parent):
                reason = f"{parent['name']} admits routes of its own namespace alone"
                remedy = "Set allowedRoutes of its listener, or move the route."
            else:
                continue
            yield Finding("route-not-admitted", shown(route), path, reason, remedy)


def _admits_others(gateway: Object, parent: Object) -> bool:
    return any(
        each.get("allowedRoutes", {}).get("namespaces", {}).get("from", "Same") != "Same"
        for each in spec(gateway).get("listeners") or []
        if parent.get("sectionName") in (None, each["name"])
    )


def plain_route_under_ai_filter(objects: Objects) -> Iterator[Finding]:
    """The AI Gateway's filter answers 404 to paths that it does not know, on every route of its Gateway."""
    filtered = {
        (parent.get("namespace", namespace(each)), parent["name"])
        for each in objects.of("AIGatewayRoute")
        for parent in spec(each).get("parentRefs") or []
    }
    for route in objects.of("HTTPRoute"):
        parents = {
            (parent.get("namespace", namespace(route)), parent["name"])
            for parent in spec(route).get("parentRefs") or []
        }
        if parents & filtered and not name(route).startswith(PLAIN_ROUTE_PREFIX):
            yield Finding(
                "plain-route-under-ai-filter",
                shown(route),
                "metadata.name",
                "the AI Gateway's filter stands on this route too, and answers 404 to its paths",
                f"Begin its name with {PLAIN_ROUTE_PREFIX}, which the filter lets alone.",
            )


def priority_lost(objects: Objects) -> Iterator[Finding]:
    """Without a cluster, backends by address have no priorities."""
    if not objects.standalone:
        return
    by_address = {
        (namespace(each), name(each))
        for each in objects.of("Backend")
        if any("ip" in endpoint for endpoint in spec(each).get("endpoints") or [])
    }
    services = {
        (namespace(each), name(each)): spec(each).get("backendRef", {}).get("name")
        for each in objects.of("AIServiceBackend")
    }
    for route in objects.of("AIGatewayRoute"):
        for path, reference in backend_references(route):
            where = reference.get("namespace", namespace(route))
            if (
                "priority" in reference
                and (where, services.get((where, reference["name"]))) in by_address
            ):
                yield Finding(
                    "priority-lost",
                    shown(route),
                    f"{path}.priority",
                    "its backend is named by address, and then the fallback gets requests like the others",
                    "Name the endpoint by fqdn; localhost is one.",
                )


def host_claimed_twice(objects: Objects) -> Iterator[Finding]:
    """Two namespaces that claim one host on one gateway: the more specific path takes the other's requests."""
    claims: dict[tuple[str, str], Object] = {}
    for each in objects.of("HTTPRoute", "VirtualService"):
        hosts = spec(each).get("hostnames" if each["kind"] == "HTTPRoute" else "hosts") or []
        for host in hosts:
            for gateway in _attached(each):
                first = claims.setdefault((gateway, host), each)
                if namespace(first) != namespace(each):
                    yield Finding(
                        "host-claimed-twice",
                        shown(each),
                        "spec.hostnames" if each["kind"] == "HTTPRoute" else "spec.hosts",
                        f"{host} is claimed by {shown(first)} as well, and a longer path takes its requests",
                        "Give each namespace hosts of its own.",
                    )


def _attached(each: Object) -> list[str]:
    if each["kind"] == "VirtualService":
        gateways = spec(each).get("gateways") or ["mesh"]
        return [g if "/" in g or g == "mesh" else f"{namespace(each)}/{g}" for g in gateways]
    return [
        f"{parent.get('namespace', namespace(each))}/{parent['name']}"
        for parent in spec(each).get("parentRefs") or []
    ]


def proxy_unreferenced(objects: Objects) -> Iterator[Finding]:
    """An EnvoyProxy holds for the Gateway or class that names it, and else for nothing."""
    named = {
        (each.get("namespace", default), each.get("name"))
        for owner in objects.of("Gateway", "GatewayClass")
        for default, each in (
            (namespace(owner), spec(owner).get("infrastructure", {}).get("parametersRef", {})),
            (namespace(owner), spec(owner).get("parametersRef", {})),
        )
    }
    for proxy in objects.of("EnvoyProxy"):
        if (namespace(proxy), name(proxy)) not in named:
            yield Finding(
                "proxy-unreferenced",
                shown(proxy),
                "metadata.name",
                "no Gateway and no GatewayClass names it, so nothing in it holds",
                "Name it in parametersRef.",
            )
        if "mergeBackends" in spec(proxy) and objects.of("AIGatewayRoute"):
            yield Finding(
                "proxy-unreferenced",
                shown(proxy),
                "spec.mergeBackends",
                "the AI Gateway no longer finds the backends of its routes",
                "Leave it out.",
            )


RULES: tuple[Rule, ...] = (
    backend_without_object,
    destination_without_service,
    reference_without_grant,
    route_not_admitted,
    plain_route_under_ai_filter,
    priority_lost,
    host_claimed_twice,
    proxy_unreferenced,
)
