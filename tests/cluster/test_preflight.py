# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a real API server is found to lack before anything is installed on it."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import survey
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import connect
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import components

from inferencebox.cli.config import load_inventory
from tests.cluster.steps import Platform

_ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KUBECONFIG")), reason="nobody knows what a given cluster lacks"
)


def look(kubeconfig: str, helm: str = "v3.22.0", **cluster: t.Any) -> list[str]:
    """Problems of the shipped inventory with other settings of its cluster."""
    variables = to_vars(load_inventory(str(_ROOT / "inventories/existing")))
    variables["platform_cluster"] |= cluster
    platform = load(variables)
    demands = survey.Demands.of(components.demands(platform))
    with connect(kubeconfig) as api:
        found = survey.survey(api, demands, helm)
    assert found.version.startswith("v1.")
    return found.problems


def said(problems: list[str], text: str) -> list[str]:
    return [problem for problem in problems if text in problem]


def test_what_a_bare_cluster_lacks(kubeconfig: str) -> None:
    problems = look(kubeconfig)
    assert said(problems, "no default StorageClass")
    assert said(problems, "nothing here gives addresses to Services")
    assert not said(problems, "Kubernetes v")
    assert not said(problems, "may not create")
    assert not said(look(kubeconfig, service_type="ClusterIP"), "addresses")


def test_definitions_of_somebody_else(defined: str) -> None:
    (problem,) = said(look(defined), "The definitions of cert-manager.io belong to")
    assert "belong to platform definitions: list cert-manager in" in problem
    provided = look(defined, provided=["cert-manager"])
    assert not said(provided, "cert-manager.io belong to")
    assert said(provided, "there is no namespace cert-manager")
    # Of its two groups, one is missing.
    assert said(provided, "does not serve acme.cert-manager.io, which the platform needs")


def test_what_nobody_needs_is_not_looked_for(kubeconfig: str) -> None:
    assert not said(look(kubeconfig, provided=["knative-serving"]), "knative")


def test_a_namespace_of_somebody_else(kubeconfig: str, platform: Platform) -> None:
    assert not platform.apply([platform.space()]).problem
    problems = look(kubeconfig, namespace=platform.namespace)
    (problem,) = said(problems, f"namespace {platform.namespace} is there already")
    assert problem.startswith("platform_cluster.namespace: ")


def test_another_helm(kubeconfig: str) -> None:
    assert said(look(kubeconfig, helm="v4.3.1"), "helm on this machine is v4.3.1")
