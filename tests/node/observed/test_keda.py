# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model that KEDA scales by what Prometheus tells: to zero, from zero for who waits, and to more replicas."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.behaviour.platform_json import Platform
from tests.node import machine, scaled
from tests.node.observed import asking, inventory
from tests.node.own_node import OwnNode

_CALLERS, _TOGETHER = 4, 10

pytestmark = [machine.needed, pytest.mark.proves("L4", "keda")]


def ask(platform: Platform, tokens: dict[str, str]) -> int:
    return asking.model(platform, tokens[inventory.OWNER], inventory.MODEL).status_code


def ready(node: OwnNode) -> int:
    """How many of the model's replicas answer."""
    (deployment,) = scaled.listed(node, "deployments", inventory.OWNER)
    return int(deployment["status"].get("readyReplicas", 0))


def test_one_request_wakes_the_model_and_waits_for_it(
    node: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    scaled.wait_for_zero(node)
    assert ask(platform, tokens) == 200


def test_requests_at_once_wait_for_it_too(
    node: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    scaled.wait_for_zero(node)
    with ThreadPoolExecutor(_TOGETHER) as pool:
        asked = [pool.submit(ask, platform, tokens) for _ in range(_TOGETHER)]
        assert [one.result() for one in asked] == [200] * _TOGETHER


def test_many_requests_at_once_bring_more_replicas_and_none_leave_none(
    node: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    over = threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            ask(platform, tokens)

    with ThreadPoolExecutor(_CALLERS) as pool:
        for _ in range(_CALLERS):
            pool.submit(keep_asking)
        try:
            asking.wait_until(lambda: ready(node) == inventory.MOST, lambda: scaled.pods(node))
        finally:
            over.set()
    scaled.wait_for_zero(node)
