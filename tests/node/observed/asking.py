# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How models and Prometheus are asked, and waited for."""

from __future__ import annotations

import time
import typing as t

import httpx2

from tests.behaviour.client import bearer, http_client
from tests.behaviour.platform_json import Platform
from tests.node.observed import inventory

_SECONDS = 240.0


def model(platform: Platform, token: str, name: str) -> httpx2.Response:
    """Ask a model as a caller."""
    header, value = bearer(token)
    body = {"instances": inventory.INSTANCES[name]}
    with http_client(platform) as client:
        return client.post(
            f"/v1/models/{name}:predict", json=body, headers={header: value}, timeout=_SECONDS
        )


def query(prometheus: httpx2.Client, expression: str) -> list[dict[str, t.Any]]:
    """Series that a query finds now."""
    answer = prometheus.get("/api/v1/query", params={"query": expression}).raise_for_status()
    found: list[dict[str, t.Any]] = answer.json()["data"]["result"]
    return found


def wait_until(happened: t.Callable[[], bool], said: t.Callable[[], object]) -> None:
    """Wait until something is so; what is said then tells why it never was."""
    deadline = time.monotonic() + _SECONDS
    while not happened():
        assert time.monotonic() < deadline, said()
        time.sleep(1)
