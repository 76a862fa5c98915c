# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model that KEDA scales by what Prometheus tells: to zero, from zero by one request, and to more replicas."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.behaviour.platform_json import Platform
from tests.node import machine, scaled
from tests.node.observed import asking, inventory
from tests.node.own_node import OwnNode

_CALLERS = 4

pytestmark = [machine.needed, pytest.mark.proves("L4", "keda")]


def ask(platform: Platform, tokens: dict[str, str]) -> httpx2.Response:
    return asking.model(platform, tokens[inventory.OWNER], inventory.MODEL)


def ready(node: OwnNode) -> int:
    """How many of the model's replicas answer."""
    (deployment,) = scaled.listed(node, "deployments", inventory.OWNER)
    return int(deployment["status"].get("readyReplicas", 0))


def test_at_zero_a_caller_is_told_to_come_again_and_one_request_wakes_the_model(
    node: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    scaled.wait_for_zero(node)
    refused = ask(platform, tokens)
    assert refused.status_code == 503
    # Nobody asks meanwhile.
    asking.wait_until(lambda: ready(node) > 0, lambda: scaled.pods(node))
    asking.wait_until(
        lambda: ask(platform, tokens).status_code == 200, lambda: ask(platform, tokens).text
    )


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
