# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that all tests of this folder look at, and how they ask its Prometheus."""

from __future__ import annotations

import typing as t

import httpx2
import pytest

from tests.behaviour.client import fetch_tokens
from tests.behaviour.platform_json import Platform
from tests.node import installing, scaled
from tests.node.observed import asking, inventory
from tests.node.own_node import OwnNode


@pytest.fixture(scope="package")
def node(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node with that platform."""
    directory = tmp_path_factory.mktemp("observed")
    with installing.installed(directory, inventory.VARIABLES) as own:
        yield own


@pytest.fixture(scope="package")
def platform(node: OwnNode) -> Platform:
    """How it is called."""
    return Platform.read(node.home / "platform.json")


@pytest.fixture(scope="package")
def tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    return fetch_tokens(platform)


@pytest.fixture(scope="package")
def pod(node: OwnNode) -> scaled.Object:
    """Prometheus' pod."""
    return asking.pod(node, "prometheus")


@pytest.fixture(scope="package")
def prometheus(node: OwnNode) -> t.Iterator[httpx2.Client]:
    """Prometheus, reached as its administrators do."""
    with asking.forwarded(node, "prometheus", inventory.PROMETHEUS_PORT) as client:
        yield client


@pytest.fixture(scope="package")
def alertmanager(node: OwnNode) -> t.Iterator[httpx2.Client]:
    """Alertmanager, reached in the same way."""
    with asking.forwarded(node, "alertmanager", inventory.ALERTMANAGER_PORT) as client:
        yield client


@pytest.fixture(scope="package")
def jaeger(node: OwnNode) -> t.Iterator[httpx2.Client]:
    """Jaeger, reached in the same way."""
    with asking.forwarded(node, "opentelemetry-collector", inventory.JAEGER_PORT) as client:
        yield client
