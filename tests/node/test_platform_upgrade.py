# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform goes on while its node is brought to the next minor release of Kubernetes."""

from __future__ import annotations

import dataclasses
import typing as t

import httpx2
import pytest

from tests.behaviour.client import Caller, fetch_token
from tests.behaviour.platform_json import Platform
from tests.node import installing, machine
from tests.node.inventory import unlimited, with_another_model
from tests.node.own_node import OwnNode
from tests.node.releases import FIRST, NEXT, containers, release
from tests.node.traffic import Stream, Traffic, wait_until

_TENANT, _MODEL, _ANOTHER_MODEL, _LANGUAGE_MODEL = "tenant-a", "iris", "iris-too", "smollm2"
_AFTER = 20

pytestmark = machine.needed


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """The node of the first release."""
    directory = tmp_path_factory.mktemp("updated")
    with installing.installed(directory, unlimited()) as own:
        yield own


@pytest.fixture(scope="module")
def node(before: OwnNode) -> OwnNode:
    """The same, with an inventory that names the next release."""
    variables = {**before.variables, "platform_cluster": {"node": {"kubernetes": NEXT}}}
    return dataclasses.replace(before, variables=variables)


@pytest.fixture(scope="module")
def platform(before: OwnNode) -> Platform:
    """How it is called."""
    return Platform.read(before.home / "platform.json")


@pytest.fixture(scope="module")
def token(platform: Platform) -> str:
    """Of a tenant with a model of each kind."""
    return fetch_token(platform, _TENANT)


def test_callers_are_answered_and_pods_stay(node: OwnNode, platform: Platform, token: str) -> None:
    assert release(node) == (FIRST, FIRST)
    running = containers(node)
    with (
        Traffic(platform, token, ask) as traffic,
        Stream(platform, token, _LANGUAGE_MODEL) as stream,
    ):
        node.play("playbooks/bundle.yml")
        assert node.play("site.yml") > 0
        traffic.go_on_for(_AFTER)
        wait_until(lambda: release(node) == (NEXT, NEXT), "the node does not tell its new release")
    assert set(traffic.answers) == {"200"}, traffic.answers
    assert stream.chunks
    assert not stream.problem, stream.problem
    assert containers(node) == running


def test_a_second_run_changes_nothing(node: OwnNode) -> None:
    assert node.play("site.yml") == 0


def test_models_are_replaced_and_added(node: OwnNode, platform: Platform, token: str) -> None:
    with Traffic(platform, token, ask) as traffic:
        node.replace(_TENANT, f"{_MODEL}-predictor")
        with_another_model(node, _MODEL, _ANOTHER_MODEL).play("site.yml")
        traffic.go_on_for(_AFTER)
    assert set(traffic.answers) == {"200"}, traffic.answers
    with Caller(platform, token) as caller:
        body = dict(platform.models[_MODEL].example_body)
        assert caller.post(f"/v1/models/{_ANOTHER_MODEL}:predict", body).is_success


def ask(caller: Caller) -> httpx2.Response:
    """Ask a model with its example."""
    return caller.post(f"/v1/models/{_MODEL}:predict", {"instances": [[5.1, 3.5, 1.4, 0.2]]})
