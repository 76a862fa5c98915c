# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Alerts on a node: of a model that has no replica, from what tells of it to where alerts go."""

from __future__ import annotations

import typing as t

import httpx2
import pytest

from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.observed import asking, inventory
from tests.node.own_node import OwnNode

_ALERT = "InferenceboxModelUnavailable"
# Five minutes until it fires, and as long until Alertmanager has been told that it is over; more on a busy machine.
_SECONDS = 900.0

pytestmark = [machine.needed, pytest.mark.proves("L4", "observability")]


@pytest.fixture
def full(node: OwnNode) -> t.Iterator[None]:
    """While the node takes no pods."""
    (name,) = node.kubectl("get", "nodes", "--output=name").stdout.split()
    assert node.kubectl("cordon", name).returncode == 0
    try:
        yield
    finally:
        assert node.kubectl("uncordon", name).returncode == 0


def alerts(alertmanager: httpx2.Client) -> list[dict[str, t.Any]]:
    """What Alertmanager has been told of unavailable models."""
    asked = {"filter": f"alertname={_ALERT}"}
    answer = alertmanager.get("/api/v2/alerts", params=asked).raise_for_status()
    found: list[dict[str, t.Any]] = answer.json()
    return found


@pytest.mark.usefixtures("full")
def test_a_model_without_a_replica_is_an_alert_that_is_sent_on(
    node: OwnNode, alertmanager: httpx2.Client, prometheus: httpx2.Client
) -> None:
    assert alerts(alertmanager) == []
    model = f"--selector=serving.kserve.io/inferenceservice={inventory.STEADY}"
    ended = node.kubectl("delete", "pod", f"--namespace={inventory.OTHER}", model)
    assert ended.returncode == 0, ended.stderr

    def told() -> object:
        return prometheus.get("/api/v1/alerts").json()["data"]["alerts"]

    asking.wait_until(lambda: bool(alerts(alertmanager)), told, _SECONDS)
    (alert,) = alerts(alertmanager)
    assert alert["labels"]["namespace"] == inventory.OTHER
    assert alert["labels"]["deployment"] == f"{inventory.STEADY}-predictor"
    assert alert["labels"]["severity"] == "warning"
    assert alert["annotations"]["summary"].startswith(f"{inventory.STEADY}-predictor of ")


def test_it_ends_when_the_model_answers_again(
    platform: Platform, tokens: dict[str, str], alertmanager: httpx2.Client
) -> None:
    def answer() -> int:
        return asking.model(platform, tokens[inventory.OTHER], inventory.STEADY).status_code

    asking.wait_until(lambda: answer() == 200, answer)
    asking.wait_until(lambda: alerts(alertmanager) == [], lambda: alerts(alertmanager), _SECONDS)


def test_quota_is_known_by_the_tenants_namespace(prometheus: httpx2.Client) -> None:
    """Else the alert on what is nearly used could not find it."""
    figure = 'kube_resourcequota{type="hard"} > 0'

    def tenants() -> set[str]:
        return {row["metric"]["namespace"] for row in asking.query(prometheus, figure)}

    asking.wait_until(lambda: tenants() == {inventory.OWNER, inventory.OTHER}, tenants)
