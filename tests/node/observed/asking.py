# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How models and Prometheus are asked, and waited for."""

from __future__ import annotations

import contextlib
import subprocess
import time
import typing as t

import httpx2

from tests.behaviour.client import bearer, http_client
from tests.behaviour.platform_json import Platform
from tests.node import scaled
from tests.node.observed import inventory
from tests.node.own_node import OwnNode

_SECONDS = 240.0


def model(platform: Platform, token: str, name: str) -> httpx2.Response:
    """Ask a model as a caller."""
    header, value = bearer(token)
    body = {"instances": inventory.INSTANCES[name]}
    with http_client(platform) as client:
        return client.post(
            f"/v1/models/{name}:predict", json=body, headers={header: value}, timeout=_SECONDS
        )


def pod(node: OwnNode, name: str) -> scaled.Object:
    """The one pod of a program beside Prometheus, or of Prometheus itself."""
    (found,) = scaled.listed(node, "pods", "monitoring", f"app.kubernetes.io/name={name}")
    return found


@contextlib.contextmanager
def forwarded(node: OwnNode, name: str, port: int) -> t.Iterator[httpx2.Client]:
    """Reach such a program as an administrator does: through the API server, into its pod."""
    command = [
        str(node.bundle / "programs/kubectl"),
        f"--kubeconfig={node.kubeconfig}",
        "--namespace=monitoring",
        "port-forward",
        f"pod/{pod(node, name)['metadata']['name']}",
        f":{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout is not None
            # It says from where: 127.0.0.1, and the port that it took.
            taken = forwarding.stdout.readline().partition("127.0.0.1:")[2].partition(" ")[0]
            with httpx2.Client(base_url=f"http://127.0.0.1:{taken}", trust_env=False) as client:
                yield client
        finally:
            forwarding.terminate()


def query(prometheus: httpx2.Client, expression: str) -> list[dict[str, t.Any]]:
    """Series that a query finds now."""
    answer = prometheus.get("/api/v1/query", params={"query": expression}).raise_for_status()
    found: list[dict[str, t.Any]] = answer.json()["data"]["result"]
    return found


def wait_until(
    happened: t.Callable[[], bool], said: t.Callable[[], object], seconds: float = _SECONDS
) -> None:
    """Wait until something is so; what is said then tells why it never was."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, said()
        time.sleep(1)
