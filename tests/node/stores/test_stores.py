# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models whose files lie in stores: fetched by KServe's storage initializer, and served through both tiers."""

from __future__ import annotations

import pytest

from tests.behaviour.client import bearer, fetch_token, http_client
from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.own_node import OwnNode
from tests.node.stores import inventory, stores

pytestmark = [machine.needed, pytest.mark.proves("L4", "models")]


def test_wrong_credentials_are_told_as_the_cause(node: OwnNode, password: str) -> None:
    assert password
    said = node.fail(playbook="site.yml")
    assert "InferenceService tenant-a/bucket" in said
    assert "S3 error [403]: Forbidden" in said
    assert password not in said


def test_models_of_both_stores_answer_through_both_tiers(node: OwnNode, password: str) -> None:
    stores.apply(node, stores.credentials(password))
    node.play("site.yml")
    platform = Platform.read(node.home / "platform.json")
    header, value = bearer(fetch_token(platform, inventory.OWNER))
    with http_client(platform) as client:
        for model in inventory.SOURCES:
            body = {"instances": inventory.INSTANCES}
            path = f"/v1/models/{model}:predict"
            answer = client.post(path, json=body, headers={header: value})
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"predictions": [0]}


def test_what_fetches_came_from_the_bundle(node: OwnNode, password: str) -> None:
    assert password
    found = node.kubectl(
        "get",
        "pods",
        f"--namespace={inventory.OWNER}",
        "--output=jsonpath={.items[*].spec.initContainers[?(@.name=='storage-initializer')].image}",
    )
    images = found.stdout.split()
    assert len(images) == len(inventory.SOURCES), found.stderr
    assert all(one.startswith("localhost/inferencebox/kserve/") for one in images)


def test_a_second_run_changes_nothing(node: OwnNode) -> None:
    assert node.play("site.yml") == 0
