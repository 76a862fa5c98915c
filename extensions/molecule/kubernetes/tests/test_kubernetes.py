# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each role left on the cluster, as kubectl shows it."""

from __future__ import annotations

import json
import typing as t

import pytest

SYSTEM = "inferencebox-system"
# Role, kind, namespace and name.
MADE = [
    ("cluster", "deployment", "cert-manager", "cert-manager"),
    ("mesh", "deployment", "istio-system", "istiod"),
    ("mesh", "deployment", SYSTEM, "tier2"),
    ("ai_gateway", "gateways.gateway.networking.k8s.io", SYSTEM, "tier1"),
    ("ai_gateway", "aigatewayroute", SYSTEM, "models-0"),
    ("ai_gateway", "deployment", "envoy-gateway-system", "valkey"),
    ("serving", "deployment", "kserve", "kserve-controller-manager"),
    ("observability", "prometheusrule", SYSTEM, "inferencebox"),
    ("tenants", "resourcequota", "tenant-a", "tenant"),
    ("tenants", "networkpolicy", "tenant-b", "default-deny"),
    ("models", "inferenceservice", "tenant-a", "iris"),
    ("models", "inferenceservice", "tenant-b", "smollm2"),
]


@pytest.mark.parametrize(("role", "kind", "namespace", "name"), MADE)
def test_each_role_made_its_part(
    host: t.Any, role: str, kind: str, namespace: str, name: str
) -> None:
    found = host.run(f"kubectl get {kind} {name} --namespace={namespace}")
    assert found.succeeded, f"{role}: {found.stderr}"


def test_tenants_run_nothing_with_privileges(host: t.Any) -> None:
    words = "kubectl get namespace tenant-a tenant-b --output=json"
    labels = [one["metadata"]["labels"] for one in json.loads(host.check_output(words))["items"]]
    assert {one["pod-security.kubernetes.io/enforce"] for one in labels} == {"restricted"}


def test_what_controllers_wrote_is_still_there(host: t.Any) -> None:
    gateway = f"gateways.gateway.networking.k8s.io/tier1 --namespace={SYSTEM}"
    found = json.loads(host.check_output(f"kubectl get {gateway} --output=json"))
    assert "Accepted" in {one["type"] for one in found["status"]["conditions"]}
