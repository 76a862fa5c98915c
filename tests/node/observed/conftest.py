# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that all tests of this folder look at, and how they ask its Prometheus."""

from __future__ import annotations

import subprocess
import typing as t

import httpx2
import pytest

from tests.behaviour.client import fetch_token
from tests.behaviour.platform_json import Platform
from tests.node import installing, scaled
from tests.node.observed import inventory
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
    return {tenant: fetch_token(platform, tenant) for tenant in sorted(platform.tenants)}


@pytest.fixture(scope="package")
def pod(node: OwnNode) -> scaled.Object:
    """Prometheus' pod."""
    (found,) = scaled.listed(node, "pods", "monitoring", "app.kubernetes.io/name=prometheus")
    return found


@pytest.fixture(scope="package")
def prometheus(node: OwnNode, pod: scaled.Object) -> t.Iterator[httpx2.Client]:
    """Prometheus, reached as its administrators do: through the API server, into its pod."""
    command = [
        str(node.bundle / "programs/kubectl"),
        f"--kubeconfig={node.kubeconfig}",
        "--namespace=monitoring",
        "port-forward",
        f"pod/{pod['metadata']['name']}",
        f":{inventory.PROMETHEUS_PORT}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout is not None
            # It says from where: 127.0.0.1, and the port that it took.
            port = forwarding.stdout.readline().partition("127.0.0.1:")[2].partition(" ")[0]
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                yield client
        finally:
            forwarding.terminate()
