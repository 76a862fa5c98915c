# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the API server refuses in tenants' namespaces, whatever rights somebody was given there.

Roles alone are not enough: one right too many on HTTPRoutes or VirtualServices, and a tenant claims the
host of another's model with a more specific path and gets its requests. So routes are tied to the
namespace that holds them, and what shapes a gateway or the mesh is the platform's alone.

The rules are CEL, which the API server compiles when a policy is created and evaluates itself: there is no
webhook that could be down.
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

import json

from ..inventory import NAMESPACES, Platform
from . import naming
from .objects import Maker, Object

_API = "admissionregistration.k8s.io/v1"

# Who may write the platform's kinds in a tenant's namespace: whoever may do this to the platform. No
# such resource exists; administrators of the cluster may do everything, and so this too.
_RIGHT = (
    'authorizer.group("inferencebox.io").resource("platforms").name("{platform}").check("manage")'
)
# Controllers that make routes for a tenant's models there, and what they make.
_CONTROLLERS = (NAMESPACES["kserve"], NAMESPACES["knative"])
_THEIRS = ("destinationrules", "grpcroutes", "httproutes", "ingresses", "virtualservices")

# Kinds that shape gateways, the mesh or the network; every kind of the groups with a star.
_PLATFORM_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("aigateway.envoyproxy.io", ("*",)),
    ("extensions.istio.io", ("*",)),
    ("gateway.envoyproxy.io", ("*",)),
    ("gateway.networking.k8s.io", ("*",)),
    ("networking.istio.io", ("*",)),
    ("networking.k8s.io", ("ingresses", "networkpolicies")),
    ("security.istio.io", ("*",)),
    ("telemetry.istio.io", ("*",)),
)
_ROUTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("gateway.networking.k8s.io", ("httproutes", "grpcroutes", "tlsroutes")),
)
_VIRTUAL_SERVICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("networking.istio.io", ("virtualservices",)),
)


def objects(platform: Platform) -> list[Object]:
    """Make the policies and what binds them to the tenants' namespaces.

    Returns:
        Three ValidatingAdmissionPolicies with their bindings; they refuse, and say why.
    """
    policies = {
        "platform-kinds": (_PLATFORM_KINDS, _ownership(platform), []),
        "routes": (_ROUTES, _route_rules(), _route_variables(platform)),
        "virtual-services": (_VIRTUAL_SERVICES, _mesh_rules(), _mesh_variables(platform)),
    }
    make = Maker(platform)
    return [
        made
        for topic, (kinds, validations, variables) in policies.items()
        for made in _bound(make, topic, kinds, validations, variables)
    ]


def _bound(
    make: Maker,
    topic: str,
    kinds: tuple[tuple[str, tuple[str, ...]], ...],
    validations: list[Object],
    variables: list[Object],
) -> list[Object]:
    name = naming.cluster_wide(make.platform, topic)
    rules = [
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": list(resources),
            # What has no namespace passes every selector of namespaces: a GatewayClass, say, which its controller
            # has to write to.
            "scope": "Namespaced",
        }
        for group, resources in kinds
    ]
    policy: Object = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        **({"variables": variables} if variables else {}),
        "validations": validations,
    }
    tenants = {
        "matchLabels": {naming.PLATFORM_LABEL: make.platform.name},
        "matchExpressions": [{"key": naming.TENANT_LABEL, "operator": "Exists"}],
    }
    binding = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": tenants},
    }
    return [
        make.cluster_wide(f"{_API} ValidatingAdmissionPolicy", name, {"spec": policy}),
        make.cluster_wide(f"{_API} ValidatingAdmissionPolicyBinding", name, {"spec": binding}),
    ]


def _ownership(platform: Platform) -> list[Object]:
    groups = [f"system:serviceaccounts:{namespace}" for namespace in _CONTROLLERS]
    right = _RIGHT.format(platform=platform.name)
    return [
        {
            "expression": f"{right}.allowed() || (request.resource.resource in {json.dumps(_THEIRS)} && "
            f"request.userInfo.groups.exists(g, g in {json.dumps(groups)}))",
            "message": "tenants own models, not routes: in a tenant's namespace this kind is the platform's",
            "reason": "Forbidden",
        }
    ]


def _variable(name: str, expression: str) -> Object:
    return {"name": name, "expression": expression}


def _domain(platform: Platform) -> Object:
    return _variable("domain", f'"." + object.metadata.namespace + ".{platform.domain}"')


def _route_variables(platform: Platform) -> list[Object]:
    return [
        _domain(platform),
        _variable("rules", "has(object.spec.rules) ? object.spec.rules : []"),
    ]


def _route_rules() -> list[Object]:
    """Rules for routes of the Gateway API: hosts below the tenant's domain, backends beside the route."""
    inside = "!has({0}.namespace) || {0}.namespace == object.metadata.namespace"
    backends = inside.format("b")
    mirrors = inside.format("f.requestMirror.backendRef")
    return [
        {
            "expression": "has(object.spec.hostnames) && object.spec.hostnames.size() > 0 && "
            "object.spec.hostnames.all(h, h.endsWith(variables.domain))",
            "messageExpression": '"hostnames must be given, and end in " + variables.domain',
        },
        {
            "expression": "variables.rules.all(r, !has(r.backendRefs) || "
            f"r.backendRefs.all(b, {backends}))",
            "message": "backendRefs must stay in the namespace of the route",
        },
        {
            "expression": "variables.rules.all(r, !has(r.filters) || r.filters.all(f, "
            f"!has(f.requestMirror) || {mirrors}))",
            "message": "requestMirror must stay in the namespace of the route",
        },
    ]


def _mesh_variables(platform: Platform) -> list[Object]:
    return [
        _domain(platform),
        _variable(
            "inside",
            '["", ".svc", ".svc.cluster.local"].map(s, "." + object.metadata.namespace + s)',
        ),
        # Requests of mode knative go through this host; it decides by the Host header.
        _variable("local", f'"{naming.KNATIVE_LOCAL}"'),
        _variable("http", "has(object.spec.http) ? object.spec.http : []"),
        _variable(
            "targets",
            "variables.http.map(h, has(h.route) ? h.route.map(r, r.destination.host) : [])"
            ".map(l, l.join(' ')).join(' ').split(' ').filter(h, h != '')",
        ),
        _variable(
            "copies",
            "variables.http.map(h, has(h.mirrors) ? h.mirrors.map(m, m.destination.host) : [])"
            ".map(l, l.join(' ')).join(' ').split(' ').filter(h, h != '') + "
            "variables.http.filter(h, has(h.mirror)).map(h, h.mirror.host)",
        ),
    ]


def _mesh_rules() -> list[Object]:
    """Rules for VirtualServices: hosts and destinations of the tenant's own namespace, HTTP alone."""
    own = "variables.inside.exists(s, h.endsWith(s))"
    return [
        {
            "expression": "has(object.spec.hosts) && object.spec.hosts.size() > 0 && "
            f"object.spec.hosts.all(h, h.endsWith(variables.domain) || {own})",
            "messageExpression": '"hosts must be given, and end in " + variables.domain + '
            '" or the namespace"',
        },
        {
            "expression": f"variables.targets.all(h, h == variables.local || {own})",
            "message": "destinations must stay in the namespace of the route",
        },
        {
            "expression": f"variables.copies.all(h, {own})",
            "message": "mirrors must stay in the namespace of the route",
        },
        {
            "expression": "variables.http.all(a, !has(a.rewrite) || !has(a.rewrite.authority) || "
            "variables.inside.exists(s, a.rewrite.authority.endsWith(s)))",
            "message": "authority must stay in the namespace of the route",
        },
        {
            "expression": "!has(object.spec.tcp) && !has(object.spec.tls) && "
            "variables.http.all(h, !has(h.delegate) && !has(h.redirect))",
            "message": "only http routes are allowed, without delegate and redirect",
        },
    ]
