# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole platform of inventories/node on a node of this machine, installed by site.yml from a bundle alone.

The bundle stays in .cache between runs, because filling it takes minutes and gigabytes; what is there is not made again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.behaviour.client import Caller
from tests.behaviour.platform_json import Model, Platform
from tests.node import judging, machine
from tests.node.own_node import OwnNode

_ROOT = Path(__file__).resolve().parents[3]

pytestmark = machine.needed


@pytest.mark.proves("L4", "apply")
def test_a_second_run_changes_nothing(installed: OwnNode) -> None:
    assert installed.play("site.yml") == 0


@pytest.mark.proves("L4", "models", "tier1-standalone", "tier2", "certificates")
def test_it_answers_its_callers_and_nobody_else(installed: OwnNode) -> None:
    judging.judge(installed)


@pytest.mark.parametrize("end", [OwnNode.stop, OwnNode.restart_machine])
def test_whatever_ended_it_every_model_answers_as_soon_as_it_is_up_again(
    installed: OwnNode,
    platform: Platform,
    tokens: dict[str, str],
    end: t.Callable[[OwnNode], None],
) -> None:
    end(installed)
    installed.play("site.yml")
    answers = {
        (tenant, model.name): _ask(platform, tokens[tenant], model)
        for tenant in sorted(platform.tenants)
        for model in platform.usable_by(tenant)
    }
    assert set(answers.values()) == {200}, answers


def _ask(platform: Platform, token: str, model: Model) -> int:
    with Caller(platform, token) as caller:
        return caller.post(model.example_path, dict(model.example_body)).status_code


def test_every_image_came_from_the_bundle(installed: OwnNode) -> None:
    """The node has no way out; that nothing even tried is what the API server keeps of the last hour."""
    words = ["get", "events", "--all-namespaces", "--output=json"]
    tried = [
        event["message"]
        for event in json.loads(installed.kubectl(*words).stdout)["items"]
        if event["reason"] in ("Pulling", "ErrImagePull", "ImagePullBackOff")
    ]
    assert tried == []
    held = {
        row["name"] for row in json.loads((installed.bundle / "bundle.json").read_text())["images"]
    }
    pods = json.loads(installed.kubectl("get", "pods", "--all-namespaces", "--output=json").stdout)[
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
    installed: OwnNode, tmp_path: Path, repository: str
) -> None:
    (tmp_path / "programs").symlink_to(installed.bundle / "programs")
    words = ["--bundle", str(tmp_path), "--name", "localhost/again:1", "--file", "again.tar"]
    done = subprocess.run(
        [sys.executable, "-m", "inferencebox.bundle", "image", "--repository", repository, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    described = json.loads((installed.bundle / "bundle.json").read_text())["images"]
    (before,) = (row for row in described if row["made_from"].startswith(f"built:{repository}@"))
    assert json.loads(done.stdout)["digest"] == before["digest"]
