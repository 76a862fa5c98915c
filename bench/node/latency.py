# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tier 1, tier 2 and the model's sidecar add, beside the model server in its own pod, in interleaved rounds of one run."""

from __future__ import annotations

import ssl

from bench import closed_loop, process
from bench.endpoint import Endpoint, Request
from bench.errors import BenchError
from bench.latency import rounds
from bench.summary import Json
from tests.behaviour.client import fetch_token
from tests.behaviour.platform_json import Model, Platform
from tests.behaviour.requests_table import v2_input
from tests.node.own_node import OwnNode

_MODEL = "iris"
_PORT = 8080
_ROUNDS, _REQUESTS = 5, {1: 500, 32: 1000}
_QUICK_ROUNDS, _QUICK_REQUESTS = 1, {1: 50, 32: 160}


def measure(own: OwnNode, platform: Platform, *, quick: bool) -> list[Json]:
    """Measure one model.

    Returns:
        Cells {request, connections, way, ...}, see `summary.joined`; ways `direct` and `both`.

    Raises:
        BenchError: It has no pod, or nobody is answered.
    """
    model = platform.models[_MODEL]
    requests = _QUICK_REQUESTS if quick else _REQUESTS
    ways = {way.name: way for way in (direct(own, model), both(platform, model))}
    tensor = v2_input(model.example_body["instances"])
    asked = (
        Request("ready", "GET", f"/v2/models/{model.name}/ready"),
        Request("v2", "POST", f"/v2/models/{model.name}/infer", {"inputs": [tensor]}),
    )

    def closed(request: Request, connections: int, way: str) -> Json:
        return closed_loop.measure(ways[way], request, connections, requests[connections])

    cells = [(one, connections, way) for one in asked for connections in requests for way in ways]
    return rounds(cells, closed, _QUICK_ROUNDS if quick else _ROUNDS)


def direct(own: OwnNode, model: Model) -> Endpoint:
    """The model server in its pod's network, past the sidecar, which takes what comes from outside alone."""
    labels = f"--selector=serving.kserve.io/inferenceservice={model.name}"
    found = own.kubectl(
        f"--namespace={model.owner}",
        "get",
        "pods",
        labels,
        "--output=jsonpath={.items[*].metadata.uid}",
    )
    for uid in found.stdout.split():
        for folder in process.everyone():
            try:
                groups = (folder / "cgroup").read_text(encoding="ascii")
            except OSError:
                continue
            if f"/pod{uid}/" in groups:
                network, address = str(folder / "ns/net"), ("127.0.0.1", _PORT)
                return Endpoint("direct", model.name, None, address=address, network=network)
    raise BenchError(f"{model.name} has no pod")


def both(platform: Platform, model: Model) -> Endpoint:
    """Both tiers and the sidecar, as a caller: TLS and a token of the tenant that owns the model."""
    return Endpoint(
        "both",
        platform.host,
        fetch_token(platform, model.owner),
        address=platform.address,
        tls=ssl.create_default_context(cafile=str(platform.ca_file)),
    )
