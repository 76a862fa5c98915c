# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Spans: who sends them, what is taken out of them, and who may give and read them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    Platform,
    load,
    to_vars,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    gateway,
    objects,
)

from . import sample

PLATFORMS = {"node": sample.traced_node, "full": sample.full}
Object = dict[str, Any]
each_platform = pytest.mark.parametrize(
    "platform", [one() for one in PLATFORMS.values()], ids=list(PLATFORMS)
)


def of_kind(platform: Platform, kind: str, part: str) -> list[Object]:
    return [one for one in objects(platform, part) if one["kind"] == kind]


def named(found: list[Object], name: str) -> Object:
    (one,) = (each for each in found if each["metadata"]["name"] == name)
    return one


def collector(platform: Platform) -> Object:
    """Its configuration."""
    found = named(of_kind(platform, "ConfigMap", "observability"), "otel-collector")
    configuration: Object = yaml.safe_load(found["data"]["relay"])
    return configuration


@each_platform
def test_the_collector_uses_only_what_it_defines(platform: Platform) -> None:
    config = collector(platform)
    for pipeline in config["service"]["pipelines"].values():
        for stage in ("receivers", "processors", "exporters"):
            assert set(pipeline[stage]) <= set(config[stage])
    assert set(config["service"]["extensions"]) <= set(config["extensions"])


@each_platform
def test_the_collector_drops_what_people_wrote(platform: Platform) -> None:
    config = collector(platform)
    assert "attributes/private" in config["service"]["pipelines"]["traces"]["processors"]
    (action,) = config["processors"]["attributes/private"]["actions"]
    assert action["action"] == "delete"
    for private in (
        "gen_ai.prompt.0.content",
        "gen_ai.input.messages",
        "llm.input_messages.0.message.content",
        "input.value",
        "http.request.header.authorization",
    ):
        assert re.match(action["pattern"], private), private
    for kept in ("gen_ai.request.model", "gen_ai.usage.input_tokens", "http.request.method"):
        assert not re.match(action["pattern"], kept), kept


@each_platform
def test_tier_1_decides_by_what_its_caller_says_and_all_behind_it_follow(
    platform: Platform,
) -> None:
    (proxy,) = (one for one in gateway.configuration(platform) if one["kind"] == "EnvoyProxy")
    tracing = proxy["spec"]["telemetry"]["tracing"]
    assert tracing["samplingRate"] == 100
    sampler = tracing["provider"]["openTelemetry"]["sampler"]
    assert sampler["type"] == "ParentBasedTraceIdRatio"
    share = sampler["samplingPercentage"]
    assert 0 < share["numerator"] < share["denominator"]
    followed = {
        one["metadata"]["namespace"]: one["spec"]["tracing"][0]["randomSamplingPercentage"]
        for part in ("mesh", "tenants")
        for one in of_kind(platform, "Telemetry", part)
    }
    tenants = {tenant.name for tenant in platform.tenants}
    assert followed == dict.fromkeys((platform.cluster.namespace, *tenants), 100.0)


@each_platform
def test_tier_1_sends_to_where_the_collector_is(platform: Platform) -> None:
    made = gateway.configuration(platform)
    (proxy,) = (one for one in made if one["kind"] == "EnvoyProxy")
    (reference,) = proxy["spec"]["telemetry"]["tracing"]["provider"]["backendRefs"]
    backend = named([one for one in made if one["kind"] == "Backend"], reference["name"])
    (endpoint,) = backend["spec"]["endpoints"]
    service = "otel-collector.monitoring.svc.cluster.local"
    if platform.engine.gateway == "controller":
        assert endpoint["fqdn"] == {"hostname": service, "port": 4317}
        return
    assert endpoint["fqdn"] == {"hostname": "localhost", "port": 4317}
    ways = named(of_kind(platform, "Sidecar", "mesh"), "tier1")["spec"]["egress"]
    assert [one["hosts"] for one in ways if one["port"]["number"] == 4317] == [
        [f"monitoring/{service}"]
    ]
    # What it refers to is there from the beginning.
    text = named(of_kind(platform, "ConfigMap", "gateway"), "tier1")["data"]["objects.yaml"]
    first = [(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(text) if one]
    assert ("Backend", reference["name"]) in first


def test_a_node_takes_spans_of_the_platforms_own_identities_alone() -> None:
    platform = sample.traced_node()
    policies = of_kind(platform, "AuthorizationPolicy", "observability")
    assert named(policies, "default-deny")["spec"] == {}
    allowed = named(policies, "otel-collector")["spec"]
    pods = named(of_kind(platform, "Deployment", "observability"), "jaeger")["spec"]["template"]
    assert allowed["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    (rule,) = allowed["rules"]
    assert rule["to"] == [{"operation": {"ports": ["4317"]}}]
    assert [one["source"] for one in rule["from"]] == [
        {
            "principals": [
                f"cluster.local/ns/{platform.cluster.namespace}/sa/{tier}"
                for tier in ("tier1", "tier2")
            ]
        },
        {"namespaces": ["tenant-a"]},
    ]


def test_a_node_runs_jaeger_of_its_bundle_where_other_clusters_have_charts() -> None:
    platform = sample.traced_node()
    charts = {"jaeger", "opentelemetry-collector"}
    assert not charts & set(components.needed(platform))
    assert "jaeger-collector" in components.needed(platform)
    assert charts <= set(components.needed(sample.full()))
    assert "jaeger-collector" not in components.needed(sample.full())
    pods = named(of_kind(platform, "Deployment", "observability"), "jaeger")["spec"]["template"]
    (container,) = pods["spec"]["containers"]
    assert container["image"] in {row["name"] for row in components.files(platform)["images"]}


def test_on_a_node_only_who_is_in_the_pod_reads_traces() -> None:
    config = collector(sample.traced_node())
    query = config["extensions"]["jaeger_query"]
    assert {query[one]["endpoint"].partition(":")[0] for one in ("http", "grpc")} == {"127.0.0.1"}
    (service,) = (
        one
        for one in of_kind(sample.traced_node(), "Service", "observability")
        if one["metadata"]["name"] == "otel-collector"
    )
    assert [one["port"] for one in service["spec"]["ports"]] == [4317]


@pytest.mark.parametrize("name", PLATFORMS)
def test_where_traces_are_disabled_nothing_is_sent(name: str) -> None:
    variables = to_vars(PLATFORMS[name]())
    variables["platform_observability"] = {"prometheus": "auto"}
    platform = load(variables)
    made = [*objects(platform), *gateway.configuration(platform)]
    told = str([made, components.releases(platform), components.needed(platform)])
    assert "otel-collector" not in told
    assert "opentelemetry" not in told.lower()
    assert "jaeger" not in told
    assert "Telemetry" not in {one["kind"] for one in made}


def test_traces_do_without_prometheus() -> None:
    variables = to_vars(sample.traced_node())
    variables["models"][0]["serving"] |= {"replicas": {"min": 1, "max": 1}, "idle_seconds": None}
    variables["platform_observability"] = {"prometheus": "disabled", "traces": "jaeger"}
    platform = load(variables)
    assert "prometheus" not in components.needed(platform)
    kinds = {one["kind"] for one in objects(platform, "observability")}
    assert {"PeerAuthentication", "AuthorizationPolicy", "Deployment"} <= kinds
    assert "Prometheus" not in kinds


def test_a_tier_1_without_an_identity_of_the_mesh_cannot_send_spans_on_a_node() -> None:
    variables = to_vars(sample.traced_node()) | {"platform_engine": {"gateway": "controller"}}
    with pytest.raises(InventoryError) as caught:
        load(variables)
    (problem,) = caught.value.problems
    assert problem.path == "platform_observability.traces"
    assert "standalone" in problem.remedy
