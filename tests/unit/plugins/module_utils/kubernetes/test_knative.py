# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Knative's settings, and who may use its gateway where no engine enforces NetworkPolicies."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import manifests
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    NAMESPACES,
    load,
    to_vars,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    knative,
    mesh,
)

from . import sample


def serverless(provider: str = "existing", prometheus: str = "disabled") -> Platform:
    """A platform with models in mode knative."""
    variables: dict[str, Any] = to_vars(sample.small()) | {
        "platform_observability": {"prometheus": prometheus}
    }
    for model in variables["models"]:
        model["serving"] |= {"mode": "knative"}
    if provider == "node":
        variables |= {
            "platform_bundle": "/srv/bundle",
            "platform_images": {"registry": "localhost/inferencebox", "source": "built"},
            "platform_cluster": {"provider": "node", "service_type": "NodePort"},
        }
    return load(variables)


def found(objects: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Objects by kind and name."""
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def settings(platform: Platform) -> dict[str, Any]:
    """Data of ConfigMaps by name."""
    return {
        name: one["data"]
        for (kind, name), one in found(knative.overlay(platform)).items()
        if kind == "ConfigMap"
    }


@pytest.mark.parametrize("provider", ["existing", "node"])
def test_its_namespace_is_applied_once(provider: str) -> None:
    """By two tasks, each would take the other's labels away, and no second run would find nothing to do."""
    platform = serverless(provider)
    name = NAMESPACES["knative"]
    upstream = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    (own,) = (one for one in components.namespaces(platform) if one["metadata"]["name"] == name)
    assert own["metadata"]["labels"]["istio-injection"] == "enabled"
    laid = found(manifests.overlaid([upstream], knative.overlay(platform)))
    assert ("Namespace", name) not in laid


def test_ordinary_clusters_have_net_istio_and_a_node_has_the_projects_own() -> None:
    assert "net-istio" in components.needed(serverless())
    assert "ingress-class" not in settings(serverless())["config-network"]
    node = serverless("node")
    assert "net-istio" not in components.needed(node)
    assert "knative-serving" in components.needed(node)
    assert settings(node)["config-network"]["ingress-class"] == knative._CLASS
    assert ("Deployment", "knative-ingress") in found(knative.overlay(node))
    assert ("Deployment", "knative-ingress") not in found(knative.overlay(serverless()))


def test_what_knative_sends_to_pods_has_an_identity() -> None:
    for provider in ("existing", "node"):
        data = settings(serverless(provider))["config-network"]
        assert data["mesh-compatibility-mode"] == "enabled"


def test_images_that_no_registry_has_are_not_asked_for_digests() -> None:
    key = "registries-skipping-tag-resolving"
    assert "index.docker.io" in settings(serverless("node"))["config-deployment"][key]
    assert "index.docker.io" not in settings(serverless())["config-deployment"][key]


def test_manifests_ask_for_images_of_the_registry_that_is_named() -> None:
    rows = components.layer(serverless("node"), "serving")["manifests"]
    (row,) = (one for one in rows if one["component"] == "knative-serving")
    assert len(row["images"]) == 5
    for published, asked in row["images"].items():
        assert asked == f"localhost/inferencebox/{published.partition('/')[2]}"
    rows = components.layer(serverless(), "serving")["manifests"]
    assert all(row["images"] == {} for row in rows)


def test_the_gateway_of_a_node_takes_tier_2_and_probes() -> None:
    made = found(mesh.objects(serverless("node")))
    policy = made["AuthorizationPolicy", "inferencebox-demo-knative-local"]["spec"]
    assert policy["selector"]["matchLabels"] == knative.GATEWAY_LABELS
    models, probes = policy["rules"]
    assert models["from"] == [
        {"source": {"principals": ["cluster.local/ns/inferencebox-system/sa/tier2"]}}
    ]
    assert models["to"] == [{"operation": {"ports": ["8081"]}}]
    assert probes["to"] == [{"operation": {"ports": ["8082"]}}]
    assert probes["when"] == [{"key": "request.headers[K-Network-Probe]", "values": ["probe"]}]
    servers = found(knative.overlay(serverless("node")))["Gateway", "knative-local-gateway"]
    by_port = {one["port"]["number"]: one for one in servers["spec"]["servers"]}
    assert by_port[8081]["tls"] == {"mode": "ISTIO_MUTUAL"}
    assert ("AuthorizationPolicy", "inferencebox-demo-knative-local") not in found(
        mesh.objects(serverless())
    )


def test_the_activator_takes_the_gateway_and_knative() -> None:
    for provider in ("existing", "node"):
        made = found(mesh.objects(serverless(provider)))
        name = "inferencebox-demo-activator"
        assert made["PeerAuthentication", name]["spec"]["mtls"] == {"mode": "STRICT"}
        (rule,) = made["AuthorizationPolicy", name]["spec"]["rules"]
        callers = [
            caller for one in rule["from"] for kind in one["source"].values() for caller in kind
        ]
        gateway = "cluster.local/ns/istio-system/sa/istio-ingressgateway"
        assert callers == [gateway, "knative-serving"]


def test_prometheus_reads_the_activators_figures_and_nothing_else() -> None:
    made = found(mesh.objects(serverless(prometheus="auto")))
    name = "inferencebox-demo-activator"
    assert made["PeerAuthentication", name]["spec"]["portLevelMtls"] == {
        "9090": {"mode": "PERMISSIVE"}
    }
    assert made["AuthorizationPolicy", name]["spec"]["rules"][-1] == {
        "to": [{"operation": {"ports": ["9090"]}}]
    }
