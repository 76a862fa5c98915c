# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import node_info as found
from ansible_collections.inferencebox.platform.plugins.modules import node_info

from .conftest import Run

# TEST-NET-2 (RFC 5737), which no machine has.
_FREE = "198.51.100.0/30"
_LACKING = "inferencebox-test-program"


def look(run: Run, tmp_path: Path, **changes: Any) -> dict[str, Any]:
    (tmp_path / "images").mkdir(exist_ok=True)
    given: dict[str, Any] = {
        "programs": {"sh": "dash"},
        "plugins": [],
        "state": str(tmp_path / "node"),
        "network": _FREE,
        "link": "ib-test",
        "images": str(tmp_path / "images"),
        "kubernetes": {"train": "1", "lowest": "1.1", "highest": "1.3"},
    }
    return run(node_info, **{**given, **changes})


def program(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_its_own_folder_comes_before_the_machines(run: Run, tmp_path: Path) -> None:
    own = program(tmp_path / "programs/sh")
    result = look(run, tmp_path, directory=str(own.parent))
    assert result["node"]["programs"] == {"sh": str(own)}
    elsewhere = look(run, tmp_path)["node"]
    assert elsewhere["programs"]["sh"] != str(own)
    assert elsewhere["stamps"] != result["node"]["stamps"]


def test_what_is_missing_is_named_at_once_with_where_it_comes_from(
    run: Run, tmp_path: Path
) -> None:
    wanted = {"sh": "dash", f"{_LACKING}-a": "", f"{_LACKING}-b": "b-package"}
    folder = tmp_path / "programs"
    result = look(run, tmp_path, programs=wanted, plugins=[_LACKING], directory=str(folder))
    (programs,) = (one for one in result["problems"] if one.startswith("Programs"))
    assert f"{_LACKING}-a, {_LACKING}-b" in programs
    assert f"missing in {folder}" in programs
    assert "playbooks/bundle.yml" in programs
    assert "apt-get install b-package" in programs
    (plugins,) = (one for one in result["problems"] if one.startswith("Network plugins"))
    assert _LACKING in plugins


def test_plugins_lie_in_one_folder(run: Run, tmp_path: Path) -> None:
    names = [f"{_LACKING}-a", f"{_LACKING}-b"]
    program(tmp_path / "programs" / names[0])
    folder = str(tmp_path / "programs")
    assert look(run, tmp_path, plugins=names, directory=folder)["node"]["plugins"] == ""
    program(tmp_path / "programs" / names[1])
    assert look(run, tmp_path, plugins=names, directory=folder)["node"]["plugins"] == folder


def test_a_bundle_without_images(run: Run, tmp_path: Path) -> None:
    assert any("no image archives" in one for one in look(run, tmp_path)["problems"])
    (tmp_path / "images/one.tar").touch()
    assert not any("no image archives" in one for one in look(run, tmp_path)["problems"])


def test_a_network_that_is_in_use(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = '[{"dst": "default", "dev": "eth0"}, {"dst": "198.51.100.0/24", "dev": "lan0"}]'

    def answer(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, routes, "")

    monkeypatch.setattr(subprocess, "run", answer)
    (problem,) = (one for one in look(run, tmp_path)["problems"] if "overlaps" in one)
    assert "198.51.100.0/24" in problem
    assert "lan0" in problem
    own = look(run, tmp_path, link="lan0")["problems"]
    assert not any("overlaps" in one for one in own)


def test_a_user_that_is_not_root_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert any("needs root" in one for one in look(run, tmp_path)["problems"])


def test_another_kubelet_of_the_machine(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = tmp_path / "kubelet.sock"
    monkeypatch.setattr(found, "KUBELET_SOCKET", socket)
    assert not any("Another kubelet" in one for one in look(run, tmp_path)["problems"])
    socket.touch()
    assert any("Another kubelet" in one for one in look(run, tmp_path)["problems"])
    # The node's own.
    (tmp_path / "node").mkdir()
    (tmp_path / "node/machine.json").touch()
    assert not any("Another kubelet" in one for one in look(run, tmp_path)["problems"])
