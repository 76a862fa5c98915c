# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The programs that are built from Go modules: of a release that the train is for, and from where Go finds modules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS, train

# Tool: the module that it is built from.
TOOLS = {
    "ai-gateway": "github.com/envoyproxy/ai-gateway",
    "alertmanager": "github.com/prometheus/alertmanager",
    "cert-manager": "github.com/cert-manager/cert-manager",
    "coredns": "github.com/coredns/coredns",
    "envoy-gateway": "github.com/envoyproxy/gateway",
    "etcd": "go.etcd.io/etcd/server/v3",
    "helm": "helm.sh/helm/v3",
    "istio": "istio.io/istio",
    "keda": "github.com/kedacore/keda/v2",
    "knative": "knative.dev/serving",
    "kube-rbac-proxy": "github.com/brancz/kube-rbac-proxy",
    "kserve": "github.com/kserve/kserve",
    "kube-state-metrics": "k8s.io/kube-state-metrics/v2",
    "kubernetes": "k8s.io/kubernetes",
    "kubernetes-1.36": "k8s.io/kubernetes",
    "prometheus": "github.com/prometheus/prometheus",
    "prometheus-operator": "github.com/prometheus-operator/prometheus-operator",
    "ratelimit": "github.com/envoyproxy/ratelimit",
}
KUBERNETES = [tool for tool, module in TOOLS.items() if module == "k8s.io/kubernetes"]
# Small ones that are built from what lies here.
OWN = {"knative-ingress", "pause"}


def requirements(root: Path, tool: str) -> dict[str, str]:
    text = (root / f"src/inferencebox/programs/tools/{tool}/go.mod").read_text()
    return dict(re.findall(r"^(?:require )?\t?(\S+) (v\S+)", text, re.MULTILINE))


def test_the_control_plane_is_of_a_release_that_every_train_takes(root: Path) -> None:
    version = requirements(root, "kubernetes")["k8s.io/kubernetes"]
    assert [name for name, train in TRAINS.items() if not train.kubernetes.admits(version)] == []


@pytest.mark.parametrize("name", TRAINS)
def test_a_node_is_built_the_minor_releases_that_its_train_says(root: Path, name: str) -> None:
    train = TRAINS[name]
    for minor, tool in train.node_kubernetes.items():
        version = requirements(root, tool)["k8s.io/kubernetes"]
        assert version.startswith(f"v{minor}.")
        assert train.kubernetes.admits(version)


@pytest.mark.parametrize("tool", KUBERNETES)
def test_parts_of_kubernetes_are_of_its_own_release(root: Path, tool: str) -> None:
    """They have no versions of their own; the replace lines must follow an update."""
    version = requirements(root, tool)["k8s.io/kubernetes"]
    text = (root / f"src/inferencebox/programs/tools/{tool}/go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => \1 (v\S+)$", text, re.MULTILINE)
    assert len(replaced) > 20
    assert {one for _, one in replaced} == {version.replace("v1.", "v0.", 1)}


def test_every_tool_is_here(root: Path) -> None:
    folders = {path.name for path in (root / "src/inferencebox/programs/tools").iterdir()}
    assert folders == {*TOOLS, *OWN}


def test_controllers_are_of_the_train(root: Path) -> None:
    components = train(max(TRAINS), "built").components
    for tool in (
        "ai-gateway",
        "alertmanager",
        "envoy-gateway",
        "kserve",
        "kube-state-metrics",
        "prometheus-operator",
    ):
        assert requirements(root, tool)[TOOLS[tool]] == components[tool].version
    # Of what has no releases, the commit.
    commit = requirements(root, "ratelimit")[TOOLS["ratelimit"]].rpartition("-")[2]
    assert commit.startswith(components["ratelimit"].version)
    keda = requirements(root, "keda")[TOOLS["keda"]]
    assert keda.removeprefix("v") == components["keda"].version
    # A release 3.4.5 is the module's version 0.304.5.
    major, minor, patch = components["prometheus"].version.removeprefix("v").split(".")
    prometheus = requirements(root, "prometheus")[TOOLS["prometheus"]]
    assert prometheus == f"v0.{major}{int(minor):02}.{patch}"


def test_parts_that_kserve_replaces_are_replaced(root: Path) -> None:
    """A module's own replacements are not inherited; without them another KServe would be built."""
    text = (root / "src/inferencebox/programs/tools/kserve/go.mod").read_text()
    assert len(re.findall(r"^\t\S+ => \S+ v\S+$", text, re.MULTILINE)) == 12


def test_the_name_service_is_of_the_version_that_every_train_runs(root: Path) -> None:
    version = requirements(root, "coredns")[TOOLS["coredns"]]
    images = {train.node_images["coredns"] for train in TRAINS.values()}
    assert {image.rpartition(":")[2] for image in images} == {version}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_module_has_a_checksum(root: Path, tool: str) -> None:
    sums = (root / f"src/inferencebox/programs/tools/{tool}/go.sum").read_text()
    name = TOOLS[tool]
    version = requirements(root, tool)[name]
    assert f"{name} {version} h1:" in sums
    assert all(re.fullmatch(r"\S+ \S+ h1:\S+=", line) for line in sums.splitlines())
