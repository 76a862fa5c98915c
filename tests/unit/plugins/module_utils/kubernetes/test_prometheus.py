# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus and KEDA on a node of plain binaries: installed without charts, and closed to whoever has no business there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    Platform,
    load,
    to_vars,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    gateway,
    naming,
    objects,
)

from . import sample


def of_kind(kind: str, part: str = "observability") -> list[dict[str, Any]]:
    """Objects of one kind that the platform of a node has."""
    return [one for one in objects(sample.node(), part) if one["kind"] == kind]


def layer(name: str, component: str) -> dict[str, Any]:
    """What is installed of a component without a chart."""
    (found,) = (
        row
        for row in components.layer(sample.node(), name)["manifests"]
        if row["component"] == component
    )
    return found


def test_a_node_has_an_operator_where_other_clusters_have_a_chart() -> None:
    on_a_node, elsewhere = (set(components.needed(one())) for one in (sample.node, sample.full))
    own = {"prometheus-operator", "prometheus", "alertmanager", "kube-state-metrics"}
    assert own | {"keda"} <= on_a_node
    assert not {"kube-prometheus-stack", "jaeger", "opentelemetry-collector"} & on_a_node
    assert not own & elsewhere
    assert {"kube-prometheus-stack", "jaeger", "opentelemetry-collector", "keda"} <= elsewhere
    charts = {row["component"] for row in components.releases(sample.node())}
    assert not {"keda", "prometheus-operator"} & charts
    assert "keda" in {row["component"] for row in components.releases(sample.full())}
    rows = [
        row
        for name in components.LAYERS
        for row in components.layer(sample.full(), name)["manifests"]
    ]
    assert not {"keda", "prometheus-operator"} & {row["component"] for row in rows}


def test_no_namespace_is_made_twice() -> None:
    names = [one["metadata"]["name"] for one in components.namespaces(sample.node())]
    assert "monitoring" in names
    brought = [one for one in layer("serving", "keda")["objects"] if one["kind"] == "Namespace"]
    assert not {one["metadata"]["name"] for one in brought} & set(names)


def test_what_is_installed_elsewhere_is_not_removed_here() -> None:
    removed = {row["name"] for row in components.removable(sample.node())}
    assert "kube-prometheus-stack" not in removed
    assert {"prometheus-operator", "prometheus"} <= removed
    elsewhere = {row["name"] for row in components.removable(sample.full())}
    assert not {"prometheus-operator", "prometheus"} & elsewhere


def test_every_container_asks_for_an_image_of_the_bundle() -> None:
    had = {row["name"] for row in components.files(sample.node())["images"]}
    deployments = [
        one
        for name, component in (("monitoring", "prometheus-operator"), ("serving", "keda"))
        for one in layer(name, component)["objects"]
        if one["kind"] == "Deployment"
    ]
    containers = [
        container
        for one in deployments
        for container in one["spec"]["template"]["spec"]["containers"]
    ]
    (states,) = of_kind("Deployment")
    containers += states["spec"]["template"]["spec"]["containers"]
    asked = {container["image"] for container in containers}
    (prometheus,), (alertmanager,) = of_kind("Prometheus"), of_kind("Alertmanager")
    (reloader,) = (
        word.partition("=")[2]
        for container in containers
        for word in container["args"]
        if word.startswith("--prometheus-config-reloader=")
    )
    asked |= {prometheus["spec"]["image"], alertmanager["spec"]["image"], reloader}
    assert len(asked) == 7
    assert asked <= had


def test_prometheus_takes_the_platforms_monitors_and_nobody_elses() -> None:
    (prometheus,) = of_kind("Prometheus")
    spec = prometheus["spec"]
    for kind, name in (
        ("PodMonitor", "podMonitor"),
        ("ServiceMonitor", "serviceMonitor"),
        ("PrometheusRule", "rule"),
    ):
        labels = spec[f"{name}Selector"]["matchLabels"]
        home = spec[f"{name}NamespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        made = of_kind(kind)
        assert made
        for one in made:
            assert labels.items() <= one["metadata"]["labels"].items()
            assert one["metadata"]["namespace"] == home


def test_prometheus_may_look_where_its_monitors_choose() -> None:
    chosen = {
        namespace
        for kind in ("PodMonitor", "ServiceMonitor")
        for one in of_kind(kind)
        for namespace in one["spec"]["namespaceSelector"]["matchNames"]
    }
    bound = {one["metadata"]["namespace"] for one in of_kind("RoleBinding")}
    assert chosen <= bound
    assert of_kind("ClusterRoleBinding") == []


def test_only_keda_may_ask_prometheus() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("AuthorizationPolicy")}
    assert policies["default-deny"] == {}
    (rule,) = policies["keda"]["rules"]
    assert rule["from"] == [{"source": {"principals": ["cluster.local/ns/keda/sa/keda-operator"]}}]
    (strict,) = of_kind("PeerAuthentication")
    assert strict["spec"] == {"mtls": {"mode": "STRICT"}}
    assert {one["metadata"]["namespace"] for one in of_kind("AuthorizationPolicy")} == {
        "monitoring"
    }


def test_a_platform_without_keda_lets_nobody_ask_prometheus() -> None:
    variables = to_vars(sample.node())
    variables["models"][0]["serving"] |= {"replicas": {"min": 1, "max": 1}, "idle_seconds": None}
    made = objects(load(variables), "observability")
    names = [one["metadata"]["name"] for one in made if one["kind"] == "AuthorizationPolicy"]
    assert names == ["default-deny", "alertmanager", "kube-state-metrics"]


def test_prometheus_alone_may_ask_what_it_alerts_by() -> None:
    """And shows an identity where it asks, which it does by the sidecar: elsewhere it goes past that."""
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("AuthorizationPolicy")}
    (prometheus,) = of_kind("Prometheus")
    annotations = prometheus["spec"]["podMetadata"]["annotations"]
    ports = annotations["traffic.sidecar.istio.io/includeOutboundPorts"].split(",")
    rules = [rule for name in _ASKED for rule in policies[name]["rules"]]
    account = prometheus["spec"]["serviceAccountName"]
    source = {"principals": [f"cluster.local/ns/monitoring/sa/{account}"]}
    assert [rule["from"] for rule in rules] == [[{"source": source}]] * len(_ASKED)
    assert [rule["to"] for rule in rules] == [[{"operation": {"ports": [one]}}] for one in ports]
    for name in _ASKED:
        assert policies[name]["selector"] == {"matchLabels": {"app.kubernetes.io/name": name}}
    asked = {one["metadata"]["name"]: one["spec"] for one in of_kind("DestinationRule")}
    mutual = {"tls": {"mode": "ISTIO_MUTUAL"}}
    assert [asked[name]["trafficPolicy"] for name in _ASKED] == [mutual] * len(_ASKED)


_ASKED = ("alertmanager", "kube-state-metrics")


def test_a_node_has_every_alert_that_other_clusters_have() -> None:
    def alerts(platform: Platform) -> list[str]:
        return [
            rule["alert"]
            for one in objects(platform, "observability")
            if one["kind"] == "PrometheusRule"
            for group in one["spec"]["groups"]
            for rule in group["rules"]
            if "alert" in rule
        ]

    assert alerts(sample.node()) == alerts(sample.full())


def test_what_tells_of_objects_sees_those_kinds_in_tenants_namespaces_that_rules_ask_for() -> None:
    (states,) = of_kind("Deployment")
    (container,) = states["spec"]["template"]["spec"]["containers"]
    given = dict(word.split("=", 1) for word in container["args"])
    tenants = [tenant.name for tenant in sample.node().tenants]
    assert given["--namespaces"].split(",") == tenants
    role = next(
        one for one in of_kind("ClusterRole") if one["metadata"]["name"].endswith("state-metrics")
    )
    seen = [kind for rule in role["rules"] for kind in rule["resources"]]
    assert given["--resources"].split(",") == seen
    bound = [
        one["metadata"]["namespace"]
        for one in of_kind("RoleBinding")
        if one["roleRef"]["name"] == role["metadata"]["name"]
    ]
    assert bound == tenants
    (rules,) = of_kind("PrometheusRule")
    asked = {
        name
        for group in rules["spec"]["groups"]
        for rule in group["rules"]
        for name in re.findall(r"kube_([a-z]+)", rule["expr"])
    }
    assert asked == {kind.removesuffix("s") for kind in seen}


def test_nothing_is_sent_to_a_collector_that_is_not_there() -> None:
    made = str([objects(sample.node()), components.releases(sample.node())])
    assert "otel-collector" not in made
    assert "opentelemetry" not in made
    assert "Telemetry" not in {one["kind"] for one in objects(sample.node())}


def test_a_model_that_keda_scales_needs_prometheus() -> None:
    variables = to_vars(sample.node()) | {"platform_observability": {"prometheus": "disabled"}}
    with pytest.raises(InventoryError) as caught:
        load(variables)
    (problem,) = caught.value.problems
    assert problem.path == "models[0].serving.replicas"
    assert "Prometheus" in problem.message


def test_who_met_no_replica_counts() -> None:
    (scaled,) = of_kind("ScaledObject", "models")
    (trigger,) = scaled["spec"]["triggers"]
    query = trigger["metadata"]["query"]
    cluster = 'cluster_name="outbound|80||iris-predictor.tenant-a.svc.cluster.local"'
    assert query.count(cluster) == query.count("envoy_cluster_upstream_")
    assert "envoy_cluster_upstream_cx_none_healthy" in query
    assert "envoy_cluster_upstream_rq_time_sum" in query


def test_tier_1_asks_again_for_what_tier_2_says_is_starting_and_for_nothing_else() -> None:
    (told,) = of_kind("EnvoyFilter", "mesh")
    (patch,) = told["spec"]["configPatches"]
    mappers = patch["patch"]["value"]["typed_config"]["local_reply_config"]["mappers"]
    assert [one["status_code"] for one in mappers] == [naming.STARTING, naming.UNREACHED]
    policies = {
        one["metadata"]["name"]: one["spec"]
        for one in gateway.configuration(sample.node())
        if one["kind"] == "BackendTrafficPolicy"
    }
    retry = policies["kserve"]["retry"]
    assert retry["retryOn"]["triggers"] == ["retriable-status-codes"]
    assert retry["retryOn"]["httpStatusCodes"] == [naming.STARTING]
    worded = {
        value["value"]: override["response"]["statusCode"]
        for override in policies["tier1"]["responseOverride"]
        if override["source"] == "Backend"
        for value in override["match"]["statusCodes"]
    }
    assert worded == {naming.STARTING: 503, naming.UNREACHED: 503}


def test_where_no_model_starts_from_zero_nothing_is_asked_again() -> None:
    platform = sample.small()
    (told,) = (one for one in objects(platform, "mesh") if one["kind"] == "EnvoyFilter")
    assert str(naming.STARTING) not in str(told)
    for one in gateway.configuration(platform):
        if one["kind"] == "BackendTrafficPolicy":
            assert "retry" not in one["spec"]
