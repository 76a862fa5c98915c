# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole platform of inventories/node on a node of this machine, installed by site.yml from a bundle alone.

The bundle stays in .cache between runs, because filling it takes minutes and gigabytes; what is there is not made again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.node.own_node import OwnNode

_ROOT = Path(__file__).resolve().parents[2]
_SHOWN_CHARACTERS = 6000

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="a node needs root, for networks and containers"
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node with a platform."""
    own = OwnNode(tmp_path_factory.mktemp("platform"), _ROOT / ".cache/node/bundle")
    own.bundle.mkdir(parents=True, exist_ok=True)
    own.play("playbooks/bundle.yml")
    try:
        own.play("site.yml")
        yield own
    finally:
        own.remove()


def judge(node: OwnNode, *options: str) -> None:
    """Let the behaviour suite ask the platform as its callers do."""
    command = [sys.executable, "-m", "pytest", "--quiet", "--color=no", "tests/behaviour", *options]
    environment = {**os.environ, "INFERENCEBOX_PLATFORM": str(node.home / "platform.json")}
    done = subprocess.run(
        command,
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-_SHOWN_CHARACTERS:]


def test_a_second_run_changes_nothing(node: OwnNode) -> None:
    assert node.play("site.yml") == 0


def test_it_passes_the_suite_of_every_platform(node: OwnNode) -> None:
    judge(node)


def test_stopped_and_started_again_it_still_answers(node: OwnNode) -> None:
    node.stop()
    node.play("site.yml")
    judge(node, "-k", "test_kserve or test_openai or test_isolation")


def test_every_image_came_from_the_bundle(node: OwnNode) -> None:
    """The node has no way out; that nothing even tried is what the API server keeps of the last hour."""
    words = ["get", "events", "--all-namespaces", "--output=json"]
    tried = [
        event["message"]
        for event in json.loads(node.kubectl(*words).stdout)["items"]
        if event["reason"] in ("Pulling", "ErrImagePull", "ImagePullBackOff")
    ]
    assert tried == []
    held = {row["name"] for row in json.loads((node.bundle / "bundle.json").read_text())["images"]}
    pods = json.loads(node.kubectl("get", "pods", "--all-namespaces", "--output=json").stdout)[
        "items"
    ]
    used = {
        container["image"]
        for pod in pods
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    }
    assert used <= held


@pytest.mark.parametrize("repository", ["inferencebox/runtime", "istio/proxyv2"])
def test_an_image_that_is_made_again_is_the_same(
    node: OwnNode, tmp_path: Path, repository: str
) -> None:
    (tmp_path / "programs").symlink_to(node.bundle / "programs")
    words = ["--bundle", str(tmp_path), "--name", "localhost/again:1", "--file", "again.tar"]
    done = subprocess.run(
        [sys.executable, "-m", "inferencebox.bundle", "image", "--repository", repository, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    described = json.loads((node.bundle / "bundle.json").read_text())["images"]
    (before,) = (row for row in described if row["made_from"].startswith(f"built:{repository}@"))
    assert json.loads(done.stdout)["digest"] == before["digest"]
