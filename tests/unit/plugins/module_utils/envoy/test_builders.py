# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both tiers' configuration against golden files that a person can read.

`python -m pytest tests/unit/plugins/module_utils/envoy --write-golden` writes them anew; read the diff.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.envoy import (
    replies,
    tier1,
    tier2,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.envoy.types import (
    EnvoyConfig,
    Issuer,
)

from . import sample

GOLDEN = Path(__file__).parent / "golden"
CONFIGS: dict[str, t.Callable[[], EnvoyConfig]] = {
    "tier1": lambda: tier1.build(sample.tier1_input()),
    "tier2": lambda: tier2.build(sample.tier2_input()),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configuration_is_the_golden_one(name: str, request: pytest.FixtureRequest) -> None:
    built = json.loads(json.dumps(dataclasses.asdict(CONFIGS[name]())))
    path = GOLDEN / f"{name}.yml"
    if request.config.getoption("--write-golden"):
        path.write_text("---\n" + yaml.safe_dump(built, width=120), encoding="utf-8")
    assert built == yaml.safe_load(path.read_text(encoding="utf-8"))


def routes_of(tenant: str) -> list[dict[str, t.Any]]:
    """Tier 1's routes that one tenant can reach."""
    (resource,) = tier1.build(sample.tier1_input()).resources["routes.json"]["resources"]
    who = {"name": "x-tenant-id", "string_match": {"exact": tenant}}
    return [
        route
        for route in resource["virtual_hosts"][0]["routes"]
        if who in route["match"].get("headers", [])
    ]


def test_a_tenant_has_routes_to_its_own_models_only() -> None:
    hosts = {r["route"]["host_rewrite_literal"] for r in routes_of("tenant-c") if "route" in r}
    assert hosts == {sample.CHAT.host}


def test_every_route_to_tier2_asks_for_a_tenant() -> None:
    (resource,) = tier1.build(sample.tier1_input()).resources["routes.json"]["resources"]
    for route in resource["virtual_hosts"][0]["routes"]:
        if "route" in route:
            names = [header["name"] for header in route["match"]["headers"]]
            assert "x-tenant-id" in names, route["match"]


def test_the_model_list_of_a_tenant_names_its_models_only() -> None:
    (listing,) = [r for r in routes_of("tenant-c") if r["match"].get("path") == "/v1/models"]
    body = json.loads(listing["direct_response"]["body"]["inline_string"])
    assert [card["id"] for card in body["data"]] == ["smollm2"]


def test_no_keys_means_no_policy_for_keys() -> None:
    built = tier1.build(dataclasses.replace(sample.tier1_input(), keys=()))
    (resource,) = built.resources["filter-rbac.json"]["resources"]
    assert list(resource["typed_config"]["rules"]["policies"]) == ["builtin"]


def cluster_of(uri: str, authority: str | None = None) -> dict[str, t.Any]:
    """The cluster by which tier 1 fetches the keys of an issuer."""
    issuer = Issuer(
        "corp",
        "https://idp.example.org",
        ("inference",),
        ("RS256",),
        jwks_uri=uri,
        authority=authority,
        jwks_refresh=60.0,
    )
    clusters = tier1.build(sample.tier1_input("/home", issuer)).resources["clusters.json"]
    (found,) = [each for each in clusters["resources"] if each["name"] == "jwks|corp"]
    return dict(found)


@pytest.mark.parametrize(
    ("uri", "host", "port", "kind", "sni"),
    [
        ("https://idp.example.org/keys", "idp.example.org", 443, "DNS", "idp.example.org"),
        ("https://IDP.example.org:8443", "idp.example.org", 8443, "DNS", "idp.example.org"),
        ("https://idp.example.org?a=/b:1", "idp.example.org", 443, "DNS", "idp.example.org"),
        ("https://192.0.2.7/keys", "192.0.2.7", 443, "IP_ADDRESS", None),
        ("https://[2001:DB8:0::1]:8443/keys", "2001:db8::1", 8443, "IP_ADDRESS", None),
    ],
)
def test_keys_are_fetched_from_the_host_that_the_url_names(
    uri: str, host: str, port: int, kind: str, sni: str | None
) -> None:
    cluster = cluster_of(uri)
    (place,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    address = place["endpoint"]["address"]["socket_address"]
    assert address == {"address": host, "port_value": port}
    tls = cluster["transport_socket"]["typed_config"]
    assert tls.get("sni") == sni
    (name,) = tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
    assert name == {"san_type": kind, "matcher": {"exact": host}}
    # An address is not looked up, and a name that nobody knows holds nothing up.
    assert cluster["type"] == ("STATIC" if sni is None else "LOGICAL_DNS")
    assert cluster.get("wait_for_warm_on_init", False) is False


def test_an_issuer_has_the_systems_authorities_or_its_own() -> None:
    def trusted(authority: str | None) -> object:
        tls = cluster_of("https://idp.example.org", authority)["transport_socket"]["typed_config"]
        return tls["common_tls_context"]["validation_context"]["trusted_ca"]

    assert trusted("PEM") == {"inline_string": "PEM"}
    assert trusted(None) == {"filename": "/etc/ssl/certs/ca-certificates.crt"}


def test_only_a_limited_tenant_has_a_descriptor() -> None:
    built = tier1.build(sample.tier1_input())
    (resource,) = built.resources["filter-limit-tenant.json"]["resources"]
    (descriptor,) = resource["typed_config"]["descriptors"]
    assert descriptor["entries"] == [{"key": "tenant", "value": "tenant-a"}]
    assert descriptor["token_bucket"]["max_tokens"] == 600


def test_endpoints_without_replicas_are_an_empty_list() -> None:
    content = tier2.endpoints({sample.IRIS: ()})["tenant-a.iris.json"]
    assert content["resources"][0]["endpoints"] == [{"lb_endpoints": []}]


@pytest.mark.parametrize("status", [400, 401, 413, 429, 503, 504])
def test_error_bodies_have_the_form_of_their_protocol(status: int) -> None:
    assert set(replies.openai_error(status)["error"]) == {"message", "type", "param", "code"}
    assert set(replies.anthropic_error(status)["error"]) == {"type", "message"}
    assert isinstance(replies.kserve_error(status)["error"], str)
