# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which release of Kubernetes may follow which on a node: what is refused, and in which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import node_releases
from ansible_collections.inferencebox.platform.plugins.module_utils.host.node_releases import (
    PARTS,
    Admitted,
)

ADMITTED = Admitted("2000.1", "2.4", "2.8")


def of(release: str, **others: str) -> dict[str, str]:
    """All parts of one release, but for those that are named."""
    return {name: others.get(name.replace("-", "_"), release) for name in PARTS}


@pytest.mark.parametrize(
    ("found", "last"),
    [
        pytest.param(of("v2.5.1"), {}, id="the first run"),
        pytest.param(of("v2.5.1"), of("v2.5.1"), id="the same"),
        pytest.param(of("v2.6.0"), of("v2.5.9"), id="the next minor release"),
        pytest.param(of("v2.5.0"), of("v2.5.3"), id="an earlier patch"),
        pytest.param(of("v2.6.0-rc.1"), of("v2.5.3"), id="a candidate"),
        pytest.param(of("v2.6.0", kubelet="v2.3.0"), of("v2.5.0", kubelet="v2.3.0"), id="kubelet"),
        pytest.param(of("v2.6.0"), {"kube-apiserver": "v2.6.0"}, id="after half an upgrade"),
        pytest.param(
            of("v2.6.0", kube_scheduler="v2.5.0"), of("v2.5.0"), id="the API server before others"
        ),
    ],
)
def test_what_kubernetes_allows_is_admitted(found: dict[str, str], last: dict[str, str]) -> None:
    assert node_releases.problems(found, last, ADMITTED) == []


@pytest.mark.parametrize(
    ("found", "last", "words"),
    [
        (of("v2.9.0"), {}, "train 2000.1 runs on Kubernetes 2.4 to 2.8"),
        (of("v2.3.0"), {}, "train 2000.1 runs on Kubernetes 2.4 to 2.8"),
        (of("v2.7.0"), of("v2.5.1"), "Run programs of 2.6 first"),
        (of("v2.5.1"), of("v2.6.0"), "Put programs of 2.6 back"),
        (of("v2.6.0"), of("v3.6.0"), "Put programs of 3.6 back"),
        (of("v2.6.0", kubelet="v2.7.0"), {}, "newer than kube-apiserver of v2.6.0"),
        (of("v2.7.0", kubelet="v2.3.9"), {}, "at most 3 minor releases may lie between"),
        (of("v2.7.0", kube_scheduler="v2.5.0"), {}, "at most 1 minor release may lie between"),
        (
            of("v2.6.0"),
            of("v2.5.0", kube_controller_manager="v2.4.0"),
            "replace kube-controller-manager by one of 2.5 first",
        ),
    ],
)
def test_what_kubernetes_forbids_is_refused_in_one_sentence(
    found: dict[str, str], last: dict[str, str], words: str
) -> None:
    (said,) = node_releases.problems(found, last, ADMITTED)
    assert words in said


def test_another_release_than_the_inventory_names_is_refused() -> None:
    wanted = Admitted("2000.1", "2.4", "2.8", "2.6")
    assert node_releases.problems(of("v2.6.3"), {}, wanted) == []
    (said,) = node_releases.problems(of("v2.5.3"), {}, wanted)
    assert "platform_cluster.node.kubernetes is 2.6, and kube-apiserver is of v2.5.3" in said


def program(directory: Path, text: str) -> str:
    path = directory / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_program_says_of_which_release_it_is(tmp_path: Path) -> None:
    path = program(tmp_path, '[ "$*" = --version ] && echo "Kubernetes v2.5.1-rc.0+abc"')
    assert node_releases.read({"kubelet": path}) == ({"kubelet": "v2.5.1-rc.0+abc"}, [])


@pytest.mark.parametrize("text", ["echo no such option >&2; exit 2", "exit 0"])
def test_one_that_does_not_say_is_named_with_what_it_said(tmp_path: Path, text: str) -> None:
    found, (said,) = node_releases.read({"kubelet": program(tmp_path, text)})
    assert found == {}
    assert str(tmp_path) in said
    assert said.endswith(("says: no such option.", "says: nothing."))


def test_what_ran_last_is_read_from_the_nodes_folder(tmp_path: Path) -> None:
    assert node_releases.recorded(str(tmp_path)) == ({}, [])
    node_releases.record_of(str(tmp_path)).write_text(json.dumps(of("v2.5.1")))
    assert node_releases.recorded(str(tmp_path)) == (of("v2.5.1"), [])


@pytest.mark.parametrize("text", ["", "7", "{"])
def test_a_damaged_record_is_named_and_not_taken_for_none(tmp_path: Path, text: str) -> None:
    path = node_releases.record_of(str(tmp_path))
    path.write_text(text)
    found, (said,) = node_releases.recorded(str(tmp_path))
    assert found == {}
    assert str(path) in said
