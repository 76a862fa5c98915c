# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which controllers a node gives the control groups of a machine; a folder stands in for the kernel's."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ProcessError
from ansible_collections.inferencebox.platform.plugins.module_utils.host import node_cgroups

Machine = t.Callable[[str], Path]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Makes a machine with groups of the second version, given the controllers that systemd enabled."""

    def make(enabled: str) -> Path:
        monkeypatch.setattr(node_cgroups, "ROOT", tmp_path)
        (tmp_path / "cgroup.controllers").write_text(
            "cpuset cpu io memory hugetlb pids rdma misc\n"
        )
        (tmp_path / "cgroup.subtree_control").write_text(f"{enabled}\n")
        return tmp_path / "cgroup.subtree_control"

    return make


def test_groups_get_what_the_kubelet_wants_and_they_lack(machine: Machine) -> None:
    control = machine("memory pids")
    assert node_cgroups.enabled() == ["memory", "pids"]
    assert node_cgroups.disabled() == ["cpu", "cpuset", "hugetlb"]
    node_cgroups.enable()
    assert control.read_text() == "+cpu +cpuset +hugetlb"


def test_a_controller_is_taken_away_again(machine: Machine) -> None:
    control = machine("cpuset cpu io memory pids")
    node_cgroups.disable(["cpuset"])
    assert control.read_text() == "-cpuset"


def test_what_the_kernel_refuses_is_told_with_the_way_out(machine: Machine) -> None:
    control = machine("memory pids")
    control.unlink()
    # A file that nobody can write to, not even root.
    control.symlink_to("/proc/self/does-not-exist")
    # Somebody uses it by now, say.
    node_cgroups.disable(["cpuset"])
    with pytest.raises(ProcessError, match="cannot have cpu, cpuset, hugetlb, memory, pids"):
        node_cgroups.enable()


def test_a_group_is_made_in_the_one_hierarchy(machine: Machine) -> None:
    root = machine("cpuset cpu io memory hugetlb pids").parent
    assert node_cgroups.missing("/node") == [root / "node"]
    node_cgroups.make("/node")
    assert node_cgroups.missing("/node") == []
    assert node_cgroups.exists("/node")
    node_cgroups.remove("/node")
    assert not node_cgroups.exists("/node")


def test_the_first_version_has_nothing_to_enable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_cgroups, "ROOT", tmp_path)
    (tmp_path / "memory").mkdir()
    assert node_cgroups.enabled() == node_cgroups.disabled() == []
