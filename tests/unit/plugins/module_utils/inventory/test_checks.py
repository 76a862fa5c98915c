# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the parts of an inventory fit together: each rule is broken once, and alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    load,
    unix_user,
)

from .sample import VALID, changed, problems

_CORP: dict[str, Any] = {
    "name": "corp",
    "issuer": "https://idp.example.org",
    "jwks_uri": "https://idp.example.org/keys",
    "audiences": ["inference"],
}


def test_the_sample_breaks_no_rule() -> None:
    assert problems(VALID) == {}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"tenants[1].name": "tenant-a"}, "tenants[1].name", "name of its own"),
        ({"models[1].tenant": "nobody"}, "models[1].tenant", "tenant-a, tenant-b"),
        ({"tenants[0].models.allow[2]": "ghost"}, "tenants[0].models.allow[2]", "chatty, iris"),
        ({"tenants[0].models.allow[2]": "iris"}, "tenants[0].models.allow[2]", "Remove it"),
        (
            {"tenants[0].models.allow[2]": "tenant-a/iris"},
            "tenants[0].models.allow[2]",
            "Remove it",
        ),
        ({"tenants[0].models.allow[1]": "chatty"}, "tenants[0].models.allow[1]", "tenant-b/chatty"),
        ({"tenants[0].models.allow": ["tenant-b/chatty"]}, "models[0].name", "nobody may call"),
        (
            {"models[0].serving.replicas": {"min": 2, "max": 1}},
            "models[0].serving.replicas.min",
            "more than max",
        ),
        ({"models[0].publish.apis": ["v1", "chat"]}, "models[0].publish.apis[1]", "v1, v2"),
        ({"models[0].publish.apis": ["v1", "v1"]}, "models[0].publish.apis[1]", "already"),
        ({"models[1].publish.apis": ["v2"]}, "models[1].publish.apis[0]", "completions"),
        ({"models[0].publish.example": {"rows": []}}, "models[0].publish.example", "instances"),
        ({"models[0].traffic.stable": "7"}, "models[0].traffic.stable", "version, which is 1"),
        ({"models[0].source": "https://host/iris"}, "models[0].checksum", "sha256:HEX"),
        ({"tenants[0].resources.cpu": "900m"}, "tenants[0].resources.cpu", "1 cores"),
        ({"tenants[0].resources.memory": "1Gi"}, "tenants[0].resources.memory", "2147483648"),
        ({"tenants[0].resources.pods": 1}, "tenants[0].resources.pods", "2 replicas"),
        (
            {"models[0].serving.resources.memory": None},
            "models[0].serving.resources.memory",
            "memory of tenant-a is limited",
        ),
        (
            {"platform_observability.metrics_port": 8443},
            "platform_observability.metrics_port",
            "platform_gateway.https_port",
        ),
        ({"platform_home": "/srv/" + "d" * 80}, "platform_home", "bytes shorter"),
    ],
)
def test_a_rule_that_is_broken(changes: dict[str, Any], path: str, words: str) -> None:
    found = problems(changed(changes))
    assert path in found
    assert words in f"{found[path].message}. {found[path].remedy}"


def _two_versions(**traffic: Any) -> dict[str, Any]:
    return {
        "models[0].versions": [{"version": "2", "source": "python://samples/iris2"}],
        "models[0].traffic": traffic,
    }


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"tenants[1].name": "kserve"}, "tenants[1].name", "cluster's own components"),
        ({"tenants[1].name": "kube-x"}, "tenants[1].name", "cluster's own components"),
        ({"platform_cluster.namespace": "default"}, "platform_cluster.namespace", "another name"),
        (
            {"platform_cluster.namespace": "tenant-a"},
            "tenants[0].name",
            "the platform's own namespace",
        ),
        (
            {"platform_cluster.service_type": "NodePort"},
            "platform_gateway.https_port",
            "30000 to 32767",
        ),
        (
            {"models[0].serving.mode": "knative", "models[0].serving.autoscaler": "keda"},
            "models[0].serving.autoscaler",
            "scales by itself",
        ),
        (
            {
                "models[0].serving.replicas": {"min": 0, "max": 2},
                "models[0].serving.autoscaler": "hpa",
            },
            "models[0].serving.autoscaler",
            "never below 1",
        ),
        ({"models[0].serving.idle_seconds": 9}, "models[0].serving.idle_seconds", "raise max"),
        ({"models[0].framework": "custom"}, "models[0].runtime", "the runtime that serves it"),
        ({"platform_domain": ".".join(["d" * 43] * 4)}, "platform_domain", "at most 171"),
        (
            {
                "models[0].transformer": {"image": "registry.example.org/team/transformer:1.0"},
                **_two_versions(canary={"version": "2", "weight": 5}),
                "tenants[0].resources": {},
            },
            "models[0].traffic.canary",
            "knows one version only",
        ),
        (
            {**_two_versions(mirror="2"), "tenants[0].resources": {"pods": 3}},
            "tenants[0].resources.pods",
            "4 replicas",
        ),
        ({"tenants[0].roles": {"admin": ["a-admins"]}}, "tenants[0].roles.admin[0]", "group:NAME"),
        (
            {
                "models[0].serving.mode": "knative",
                **_two_versions(canary={"version": "2", "weight": 5, "cohort_header": "x-user-id"}),
            },
            "models[0].traffic.canary.cohort_header",
            "by share alone",
        ),
        (
            {
                "models[0].serving.mode": "knative",
                "models[0].transformer": {"image": "registry.example.org/team/transformer:1.0"},
            },
            "models[0].transformer",
            "a gateway that all share",
        ),
        (
            {"models[0].serving.mode": "knative", **_two_versions(mirror="2")},
            "models[0].traffic.mirror",
            "copy nothing",
        ),
        (
            {
                "models[2]": {**VALID["models"][0], "name": "iris-mirror"},
                "tenants[0].models.allow[2]": "iris-mirror",
                "tenants[0].resources": {},
            },
            "models[2].name",
            "another model's canary or mirror",
        ),
    ],
)
def test_a_rule_of_clusters_that_is_broken(changes: dict[str, Any], path: str, words: str) -> None:
    found = problems(changed({"platform_target": "kubernetes", **changes}))
    assert path in found
    assert words in f"{found[path].message}. {found[path].remedy}"


AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
NODE = {
    "platform_target": "kubernetes",
    "platform_bundle": "/srv/bundle",
    "platform_gateway.https_port": 30443,
    "platform_cluster": {"provider": "node", "service_type": "NodePort"},
    # Its pods reach no hub.
    "models[1].source": "pvc://models/model.gguf",
}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"platform_bundle": None}, "platform_bundle", "reaches no registry"),
        (
            {"platform_cluster.service_type": "LoadBalancer"},
            "platform_cluster.service_type",
            "Use NodePort",
        ),
        (
            {"platform_cluster.provider": "kind", "platform_cluster.node.network": "10.9.0.0/30"},
            "platform_cluster.node",
            "does not go with provider kind",
        ),
        (
            {"platform_cluster.node.kubernetes": "1.2"},
            "platform_cluster.node.kubernetes",
            "which are built",
        ),
        (
            {
                "platform_cluster.node.kubernetes": "1.2",
                "platform_cluster.node.programs": "/srv/programs",
            },
            "platform_cluster.node.kubernetes",
            "which are those of the train",
        ),
        (
            {"platform_cluster.node.network": "10.9.0.0/31"},
            "platform_cluster.node.network",
            "8 to 30 bits",
        ),
        (
            {"platform_cluster.node.pod_network": "10.96.0.0/17"},
            "platform_cluster.node.service_network",
            "overlaps with pod_network",
        ),
        (
            {"platform_cluster.node.pod_network": "10.244.0.1/16"},
            "platform_cluster.node.pod_network",
            "is not a network",
        ),
        (
            {"platform_cluster.store_authorities": "/etc/ssl/ca.crt"},
            "platform_cluster.store_authorities",
            "as PEM",
        ),
        (
            {"platform_cluster.store_authorities": AUTHORITY + "-----BEGIN PRIVATE KEY-----\n"},
            "platform_cluster.store_authorities",
            "or more than these",
        ),
        (
            {
                "platform_cluster.store_authorities": AUTHORITY,
                "platform_cluster.provided": ["kserve"],
            },
            "platform_cluster.store_authorities",
            "that the platform installs",
        ),
        ({"models[1].source": "hf://owner/name"}, "models[1].source", "s3:// or https://"),
        ({"models[1].source": "gs://bucket/model.gguf"}, "models[1].source", "reach no cloud"),
        ({"models[0].source": "oci://r.example.org/a:1"}, "models[0].source", "no registry"),
        (
            {
                "models[0].versions": [{"version": "2", "source": "hf://owner/name"}],
                "models[0].traffic.mirror": "2",
                "tenants[0].resources": {},
            },
            "models[0].versions[0].source",
            "reach no hub",
        ),
    ],
)
def test_a_rule_of_nodes_that_is_broken(changes: dict[str, Any], path: str, words: str) -> None:
    assert problems(changed(NODE)) == {}
    found = problems(changed({**NODE, **changes}))
    assert set(found) == {path}
    assert words in f"{found[path].message}. {found[path].remedy}"


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"models[0].traffic": {"mirror": "2"}}, "models[0].traffic.mirror", "without files"),
        (_two_versions(), "models[0].versions[0].version", "nobody gets"),
        (
            {
                **_two_versions(mirror="2"),
                "models[0].versions[1]": {"version": "1", "source": "python://samples/iris"},
            },
            "models[0].versions[1].version",
            "already",
        ),
    ],
)
def test_a_version_that_does_not_fit(changes: dict[str, Any], path: str, words: str) -> None:
    found = problems(
        changed({"platform_target": "kubernetes", "tenants[0].resources": {}, **changes})
    )
    assert set(found) == {path}
    assert words in f"{found[path].message}. {found[path].remedy}"


def _provider(**changes: Any) -> dict[str, Any]:
    provider = {
        "name": "elsewhere",
        "kind": "openai",
        "secret": "elsewhere-key",
        "models": [{"name": "gpt-mini"}],
        **changes,
    }
    return {
        "platform_target": "kubernetes",
        "providers": [provider],
        "tenants[0].models.allow[2]": f"{provider['name']}/gpt-mini",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"host": "llm.example.org", "port": 8443, "prefix": "/api/v1"},
        {"kind": "azure", "host": "team.openai.azure.com", "api_version": "2025-01-01-preview"},
        {"kind": "bedrock", "region": "eu-central-1"},
        {"kind": "vertex", "region": "europe-west4", "project": "team"},
        {"kind": "anthropic", "models": [{"name": "gpt-mini", "upstream": "claude-haiku-4.5"}]},
    ],
)
def test_a_provider_that_is_fine(changes: dict[str, Any]) -> None:
    raw = changed(_provider(**changes))
    assert problems(raw) == {}
    platform = load(raw)
    ((provider, model),) = platform.allowed_external("tenant-a")
    assert platform.external("elsewhere/gpt-mini") == (provider, model)
    assert "." in provider.endpoint
    assert "{" not in provider.endpoint


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        (_provider(kind="azure"), "providers[0].host", "azure needs it"),
        (_provider(kind="vertex", region="eu"), "providers[0].project", "vertex needs it"),
        (_provider(region="eu"), "providers[0].region", "does not go with kind openai"),
        (_provider(prefix="v1"), "providers[0].prefix", "/v1"),
        (_provider(name="tenant-b"), "providers[0].name", "tenants[1]"),
        (
            {
                **_provider(),
                "providers[0].models[1]": {"name": "iris"},
                "tenants[0].models.allow[3]": "elsewhere/iris",
            },
            "providers[0].models[1].name",
            "models[0]",
        ),
        (
            {**_provider(), "providers[0].models[1]": {"name": "unused"}},
            "providers[0].models[1].name",
            "nobody may call",
        ),
        (
            {**_provider(), "models[1].fallback": "elsewhere/ghost"},
            "models[1].fallback",
            "elsewhere/gpt-mini",
        ),
        (
            {**_provider(), "models[0].fallback": "elsewhere/gpt-mini"},
            "models[0].fallback",
            "v1 and v2",
        ),
        (
            {**_provider(), "tenants[0].models.allow[2]": "elsewhere/ghost"},
            "tenants[0].models.allow[2]",
            "gpt-mini",
        ),
    ],
)
def test_a_provider_that_does_not_fit(changes: dict[str, Any], path: str, words: str) -> None:
    found = problems(changed(changes))
    assert path in found
    assert words in f"{found[path].message}. {found[path].remedy}"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"issuer": None}, "issuer"),
        ({"audiences": []}, "audiences"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"jwks_uri": "ftp://idp.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "http://idp.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "http://127.0.0.1:9000/keys"}, "jwks_uri"),
        ({"jwks_uri": "http://localhost/keys"}, "jwks_uri"),
        ({"jwks_uri": "https:///keys"}, "jwks_uri"),
        ({"jwks_uri": "https://[::1/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://[fe80::1%eth0]/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://idp.example.org:0/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://idp.example.org/keys#first"}, "jwks_uri"),
        ({"jwks_uri": "https://idp.example.org/my keys"}, "jwks_uri"),
        ({"jwks_uri": "https://idp.example.org/keys\n"}, "jwks_uri"),
        ({"jwks_uri": "https://idp_1.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://user:secret@idp.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://idp.example.org:0x/keys"}, "jwks_uri"),
        ({"jwks_file": "/srv/keys.json"}, "jwks_file"),
        ({"jwks_uri": None, "jwks_file": "/srv/keys.json", "ca_file": "/srv/ca.pem"}, "ca_file"),
        ({"jwks_uri": None, "jwks_file": "/srv/keys.json", "jwks_refresh": "1h"}, "jwks_refresh"),
        ({"jwks_refresh": "4s"}, "jwks_refresh"),
        ({"jwks_refresh": "25h"}, "jwks_refresh"),
        ({"algorithms": []}, "algorithms"),
        ({"algorithms": ["HS256"]}, "algorithms[0]"),
        ({"algorithms": ["none"]}, "algorithms[0]"),
        ({"tenant_claim": "https://idp.example.org/tenant"}, "tenant_claim"),
        ({"name": "builtin"}, "issuer"),
        ({"name": "builtin", "jwks_refresh": "1h"}, "jwks_refresh"),
        ({"name": "keys"}, "name"),
        ({"issuer": "https://gateway.inference.localhost:8443"}, "issuer"),
        ({"issuer": "https://gateway.inference.localhost:8443/keys"}, "issuer"),
    ],
)
def test_an_issuer_that_could_not_be_trusted(change: dict[str, Any], key: str) -> None:
    raw = changed({"platform_identity": {"issuers": [{**_CORP, **change}]}})
    assert f"platform_identity.issuers[0].{key}" in problems(raw)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"ca_file": "/srv/ca.pem"},
        {"jwks_uri": None, "jwks_file": "/srv/keys.json"},
        {"jwks_uri": "https://127.0.0.1:9000/keys"},
        {"jwks_uri": "https://[::1]:9000/keys"},
        {"jwks_uri": "https://IDP.example.org"},
        {"jwks_refresh": "5s"},
        {"jwks_refresh": "24h"},
        {"algorithms": ["RS256", "EdDSA"]},
        {"tenant_claim": "realm.tenant"},
    ],
)
def test_an_issuer_that_is_fine(change: dict[str, Any]) -> None:
    issuers = [{"name": "builtin"}, {**_CORP, **change}]
    assert problems(changed({"platform_identity": {"issuers": issuers}})) == {}


def test_two_issuers_of_one_name_or_one_url() -> None:
    issuers = [_CORP, {**_CORP, "issuer": "https://other.example.org"}, {**_CORP, "name": "more"}]
    found = problems(changed({"platform_identity": {"issuers": issuers}}))
    assert set(found) == {
        "platform_identity.issuers[1].name",
        "platform_identity.issuers[2].issuer",
    }


def test_two_models_of_one_name() -> None:
    again = {**VALID["models"][0], "tenant": "tenant-b"}
    raw = changed({"models[2]": again, "tenants[1].models.allow[1]": "iris"})
    assert list(problems(raw)) == ["models[2].name"]


def test_unix_users_have_room_and_differ() -> None:
    assert unix_user("demo", "t-tenant-a") == "ib-demo-t-tenant-a"
    long = [unix_user("demo", f"t-{'x' * 38}{end}") for end in "ab"]
    assert len(set(long)) == 2
    assert all(len(name) == 31 for name in long)


def test_two_tenants_that_would_be_one_unix_user() -> None:
    long = "a-tenant-with-a-very-long-name"
    user = unix_user("demo", f"t-{long}")
    twin = user.removeprefix("ib-demo-t-")
    assert unix_user("demo", f"t-{twin}") == user
    found = problems(changed({"tenants[2]": {"name": long}, "tenants[3]": {"name": twin}}))
    assert list(found) == ["tenants[3].name"]
    assert long in found["tenants[3].name"].message


def test_a_kubernetes_home_may_be_long() -> None:
    raw = changed({"platform_target": "kubernetes", "platform_home": "/srv/" + "d" * 80})
    assert load(raw).target == "kubernetes"
