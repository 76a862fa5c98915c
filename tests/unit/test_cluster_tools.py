# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The programs that the cluster tests build: of a release that the train is for, and from where Go finds modules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS

TOOLS = ("etcd", "kubernetes")


def requirements(root: Path, tool: str) -> dict[str, str]:
    text = (root / f"tests/cluster/tools/{tool}/go.mod").read_text()
    return dict(re.findall(r"^(?:require )?\t?(\S+) (v\S+)", text, re.MULTILINE))


def test_the_control_plane_is_of_a_release_that_every_train_takes(root: Path) -> None:
    version = requirements(root, "kubernetes")["k8s.io/kubernetes"]
    assert [name for name, train in TRAINS.items() if not train.kubernetes.admits(version)] == []


def test_parts_of_kubernetes_are_of_its_own_release(root: Path) -> None:
    """They have no versions of their own; the replace lines must follow an update."""
    version = requirements(root, "kubernetes")["k8s.io/kubernetes"]
    text = (root / "tests/cluster/tools/kubernetes/go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => \1 (v\S+)$", text, re.MULTILINE)
    assert len(replaced) > 20
    assert {one for _, one in replaced} == {version.replace("v1.", "v0.", 1)}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_module_has_a_checksum(root: Path, tool: str) -> None:
    sums = (root / f"tests/cluster/tools/{tool}/go.sum").read_text()
    name = "k8s.io/kubernetes" if tool == "kubernetes" else "go.etcd.io/etcd/server/v3"
    version = requirements(root, tool)[name]
    assert f"{name} {version} h1:" in sums
    assert all(re.fullmatch(r"\S+ \S+ h1:\S+=", line) for line in sums.splitlines())
