# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds for the objects of every platform, whatever its inventory says.

Inventories are made by Hypothesis: names as long as they may be, any mix of modes, versions and settings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    NAMESPACES,
    Platform,
    load,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    naming,
    objects,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import sample

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# Names of RBAC objects, ConfigMaps and the like may have dots; none of ours needs one.
_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")

_letters = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=3)
_names = st.builds(
    lambda start, middle, end: f"{start}{middle}{end}"[:40].rstrip("-"),
    _letters,
    st.text("abc-1", max_size=36),
    st.text("xyz9", min_size=1, max_size=2),
).filter(
    lambda name: (
        _LABEL.fullmatch(name) is not None
        and not name.endswith(("-canary", "-mirror"))
        and not name.startswith("kube-")
        and name not in {"default", "inferencebox-system", *NAMESPACES.values()}
    )
)


@st.composite
def _models(draw: st.DrawFn, name: str, tenant: str) -> dict[str, Any]:
    knative = draw(st.booleans())
    least = draw(st.integers(0, 3))
    found: dict[str, Any] = {
        "name": name,
        "tenant": tenant,
        "framework": draw(st.sampled_from(["sklearn", "xgboost", "lightgbm", "pytorch", "llm"])),
        "source": draw(
            st.sampled_from(["s3://bucket/path", "gs://bucket/path", "hf://a/b", "pvc://claim"])
        ),
        "serving": {
            "mode": "knative" if knative else "standard",
            "replicas": {"min": least, "max": draw(st.integers(max(1, least), 5))},
            "resources": {"cpu": draw(st.sampled_from(["250m", "1", 3])), "memory": "1Gi"},
        },
    }
    versions: list[dict[str, str]] = []
    traffic: dict[str, Any] = {}
    transformed = not knative and draw(st.booleans())
    if transformed:
        found["transformer"] = {"image": "registry.example.org/team/transformer:1.0"}
    elif draw(st.booleans()):
        canary: dict[str, Any] = {"version": "2", "weight": draw(st.integers(0, 100))}
        if not knative and draw(st.booleans()):
            canary["cohort_header"] = "x-user-id"
        traffic["canary"] = canary
        versions.append({"version": "2", "source": "s3://bucket/other"})
    if not knative and draw(st.booleans()):
        traffic["mirror"] = "3"
        versions.append({"version": "3", "source": "s3://bucket/third"})
    return {**found, "versions": versions, "traffic": traffic}


@st.composite
def platforms(draw: st.DrawFn) -> Platform:
    """Any valid platform on a cluster."""
    tenants = draw(st.lists(_names, min_size=1, max_size=3, unique=True))
    names = draw(st.lists(_names, min_size=1, max_size=4, unique=True))
    owners = {name: draw(st.sampled_from(tenants)) for name in names}
    sharing = {
        tenant: [
            f"{owner}/{name}"
            for name, owner in owners.items()
            if owner == tenant or draw(st.booleans())
        ]
        for tenant in tenants
    }
    models = [draw(_models(name, owners[name])) for name in names]
    # Which follows what Prometheus tells.
    scaled = any(
        (one["serving"]["mode"], one["serving"]["replicas"]["min"]) == ("standard", 0)
        for one in models
    )
    raw = {
        "platform_name": draw(st.sampled_from(["demo", "a" * 20])),
        "platform_target": "kubernetes",
        "platform_domain": draw(st.sampled_from(["inference.localhost", ".".join(["d" * 42] * 4)])),
        "platform_engine": {"gateway": draw(st.sampled_from(["controller", "standalone"]))},
        "platform_observability": {
            "prometheus": draw(st.sampled_from(["auto"] if scaled else ["auto", "disabled"]))
        },
        "tenants": [
            {
                "name": tenant,
                "models": {"allow": sharing[tenant]},
                "isolation": draw(st.sampled_from(["hard", "soft"])),
                "roles": {"admin": draw(st.sampled_from([[], ["group:admins"]]))},
                "resources": draw(
                    st.sampled_from([{}, {"cpu": 500, "memory": "900Gi", "pods": 99}])
                ),
            }
            for tenant in tenants
        ],
        "models": models,
    }
    return load(raw)


EVERY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@EVERY
@given(platforms())
def test_names_are_valid_and_unique(platform: Platform) -> None:
    made = objects(platform)
    for found in made:
        name = found["metadata"]["name"]
        assert _LABEL.fullmatch(name), name
        assert len(name) <= naming.LABEL_CHARACTERS, name
    keys = Counter(
        (
            found["apiVersion"],
            found["kind"],
            found["metadata"].get("namespace"),
            found["metadata"]["name"],
        )
        for found in made
    )
    assert [key for key, count in keys.items() if count > 1] == []


@EVERY
@given(platforms())
def test_every_object_says_whose_it_is(platform: Platform) -> None:
    tenants = {tenant.name for tenant in platform.tenants}
    for found in objects(platform):
        labels = found["metadata"]["labels"]
        assert labels[naming.MANAGED_LABEL] == naming.MANAGED_BY
        assert labels[naming.PLATFORM_LABEL] == platform.name
        for key, value in labels.items():
            assert len(value) <= naming.LABEL_CHARACTERS, key
            assert _VALUE.fullmatch(value), key
        tenant = labels.get(naming.TENANT_LABEL)
        if tenant is None:
            continue
        assert tenant in tenants
        if found["kind"] == "Namespace":
            assert found["metadata"]["name"] == tenant
        else:
            assert found["metadata"].get("namespace") == tenant


@EVERY
@given(platforms())
def test_what_is_in_a_tenants_namespace_is_the_tenants(platform: Platform) -> None:
    tenants = {tenant.name for tenant in platform.tenants}
    for found in objects(platform):
        namespace = found["metadata"].get("namespace")
        if namespace in tenants:
            assert found["metadata"]["labels"].get(naming.TENANT_LABEL) == namespace


def _hosts(value: Any) -> Iterator[str]:
    """Find every destination of routes and rules."""
    if isinstance(value, dict):
        host = value.get("host")
        if isinstance(host, str):
            yield host
        for item in value.values():
            yield from _hosts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _hosts(item)


@EVERY
@given(platforms())
def test_a_route_stays_in_its_namespace(platform: Platform) -> None:
    for found in objects(platform):
        if found["kind"] not in ("VirtualService", "DestinationRule"):
            continue
        namespace = found["metadata"]["namespace"]
        for host in _hosts(found["spec"]):
            inside = host.endswith(f".{namespace}.svc.cluster.local")
            assert inside or host == naming.KNATIVE_LOCAL
        for rule in found["spec"].get("http", []):
            authority = rule.get("rewrite", {}).get("authority", "")
            assert bool(authority) == (naming.KNATIVE_LOCAL in _hosts(rule))
            assert not authority or authority.endswith(f".{namespace}.svc.cluster.local")
        for host in found["spec"].get("hosts", []):
            assert host.endswith(f".{namespace}.{platform.domain}")
            assert len(host) <= 253


def _principals(found: dict[str, Any]) -> list[str]:
    if found["kind"] != "AuthorizationPolicy":
        return []
    rules = found["spec"].get("rules", [])
    return [
        principal
        for rule in rules
        for source in rule.get("from", [])
        for principal in source["source"].get("principals", [])
    ]


def _credentials(spec: dict[str, Any]) -> list[str]:
    return [s["tls"]["credentialName"] for s in spec["servers"] if "credentialName" in s["tls"]]


# What each kind refers to: the other kind, and names in the same namespace, or with one before a slash.
_OWN: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "RoleBinding": ("Role", lambda found: [found["roleRef"]["name"]]),
    "Certificate": ("Issuer", lambda found: [found["spec"]["issuerRef"]["name"]]),
    "Issuer": ("Secret", lambda found: [ca["secretName"] for ca in _ca(found)]),
    "Gateway": ("Secret", lambda found: _credentials(found["spec"]) if _is_istio(found) else []),
}
_ELSEWHERE: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "VirtualService": ("Gateway", lambda found: list(found["spec"]["gateways"])),
    "AuthorizationPolicy": ("ServiceAccount", _principals),
}


def _ca(found: dict[str, Any]) -> list[dict[str, str]]:
    return [found["spec"]["ca"]] if "ca" in found["spec"] else []


def _is_istio(found: dict[str, Any]) -> bool:
    return bool(found["apiVersion"].startswith("networking.istio.io"))


def _references(found: dict[str, Any]) -> Iterator[tuple[str, str | None, str]]:
    """Kind, namespace and name of what an object refers to."""
    namespace = found["metadata"].get("namespace")
    kind, names = _OWN.get(found["kind"], ("", lambda _: []))
    for name in names(found):
        yield kind, namespace, name
    kind, names = _ELSEWHERE.get(found["kind"], ("", lambda _: []))
    for name in names(found):
        where, _, last = name.removeprefix("cluster.local/ns/").replace("/sa/", "/").partition("/")
        yield kind, where, last
    if found["kind"] == "ValidatingAdmissionPolicyBinding":
        yield "ValidatingAdmissionPolicy", None, found["spec"]["policyName"]


@EVERY
@given(platforms())
def test_every_reference_finds_its_object(platform: Platform) -> None:
    made = objects(platform)
    there = {
        (found["kind"], found["metadata"].get("namespace"), found["metadata"]["name"])
        for found in made
    }
    there |= {
        ("Secret", found["metadata"]["namespace"], found["spec"]["secretName"])
        for found in made
        if found["kind"] == "Certificate"
    }
    # Of Istio's own chart, not of the platform.
    there.add(("ServiceAccount", NAMESPACES["istio"], "istio-ingressgateway"))
    assert {reference for found in made for reference in _references(found)} <= there


@EVERY
@given(platforms())
def test_every_tenant_is_closed_before_it_is_opened(platform: Platform) -> None:
    made = objects(platform)
    for tenant in platform.tenants:
        mine = [f for f in made if f["metadata"].get("namespace") == tenant.name]
        specs = {(f["kind"], f["metadata"]["name"]): f["spec"] for f in mine if "spec" in f}
        assert specs["AuthorizationPolicy", "default-deny"] == {}
        assert specs["PeerAuthentication", "default"] == {"mtls": {"mode": "STRICT"}}
        closed = specs["NetworkPolicy", "default-deny"]
        assert closed["podSelector"] == {}
        assert "ingress" not in closed
        assert "Ingress" in closed["policyTypes"]
        assert ("Egress" in closed["policyTypes"]) == (tenant.isolation == "hard")
        assert ("ResourceQuota", "tenant") in specs
        assert ("LimitRange", "defaults") in specs


@EVERY
@given(platforms())
def test_a_model_is_called_by_tier2_and_by_nobody_else(platform: Platform) -> None:
    tier2 = naming.tier_principal(platform, naming.TIER2)
    made = objects(platform)
    for model in platform.models:
        policies = [
            found["spec"]
            for found in made
            if found["kind"] == "AuthorizationPolicy"
            and found["metadata"].get("namespace") == model.tenant
            and found["metadata"]["labels"].get(naming.MODEL_LABEL) == model.name
        ]
        sources = [s["source"] for p in policies for rule in p["rules"] for s in rule["from"]]
        assert all(p["action"] == "ALLOW" and p["selector"] for p in policies)
        callers = {c for s in sources for c in s.get("principals", []) + s.get("namespaces", [])}
        if model.serving.mode == "knative":
            gateway = naming.principal(NAMESPACES["istio"], "istio-ingressgateway")
            assert callers == {gateway, NAMESPACES["knative"]}
        elif model.transformer:
            assert callers == {tier2, naming.principal(model.tenant, naming.TRANSFORMERS)}
        else:
            assert callers == {tier2}


@EVERY
@given(platforms())
def test_tier2_answers_tier1_for_tenants_that_may_call(platform: Platform) -> None:
    (policy,) = [
        found["spec"]
        for found in objects(platform)
        if found["kind"] == "AuthorizationPolicy"
        and found["metadata"]["namespace"] == platform.cluster.namespace
        and found["metadata"]["name"] == naming.TIER2
    ]
    decided = {
        rule["to"][0]["operation"]["hosts"][0]: (
            rule["from"][0]["source"]["principals"],
            set(rule["when"][0]["values"]),
        )
        for rule in policy["rules"]
    }
    tier1 = naming.tier_principal(platform, naming.TIER1)
    assert decided == {
        naming.model_host(platform, model): (
            [tier1],
            {t.name for t in platform.tenants if model in platform.allowed(t.name)},
        )
        for model in platform.models
    }


def test_tenants_roles_give_no_way_around_the_platform() -> None:
    forbidden = {
        *("*", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"),
        *("serviceaccounts/token", "roles", "rolebindings", "networkpolicies", "namespaces"),
        *("httproutes", "gateways", "backends", "envoyfilters", "telemetries", "sidecars"),
        *("virtualservices", "destinationrules", "authorizationpolicies", "peerauthentications"),
    }
    writable: dict[str, set[str]] = {}
    for found in objects(sample.full()):
        if found["kind"] != "Role":
            continue
        for rule in found["rules"]:
            assert not forbidden & {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
            if set(rule["verbs"]) - {"get", "list", "watch"}:
                writable.setdefault(found["metadata"]["name"], set()).update(rule["resources"])
    models = {"inferenceservices", "servingruntimes", "trainedmodels", "inferencegraphs"}
    assert writable == {
        "inferencebox-publisher": models,
        "inferencebox-admin": {
            *models,
            *("secrets", "configmaps", "persistentvolumeclaims", "pods"),
        },
    }


def test_no_telemetry_asks_for_metrics() -> None:
    made = [found for found in objects(sample.full()) if found["kind"] == "Telemetry"]
    assert made
    assert all("metrics" not in found["spec"] for found in made)


def test_weights_of_a_route_make_a_hundred() -> None:
    for found in objects(sample.full()):
        if found["kind"] == "VirtualService":
            for rule in found["spec"]["http"]:
                assert sum(route.get("weight", 100) for route in rule["route"]) == 100
