# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Streamed chat: when the first token comes, and how evenly the others follow."""

from __future__ import annotations

import http
import itertools
import time

from .endpoint import Endpoint, Request
from .errors import BenchError
from .summary import Json, percentile

_READ_BYTES = 65_536
_SHOWN_BYTES = 200
_EVENT = b"data: {"


def measure(endpoint: Endpoint, request: Request) -> Json:
    """One stream, on a connection of its own that was open before.

    Returns:
        {ttft_ms, gaps_ms, events, reads}: time to the first event, pauses between reads that brought events, number of
        events, and number of reads that brought them (fewer than events when something in between merges them).

    Raises:
        BenchError: The answer is no stream of events.
    """
    connection = endpoint.connect()
    try:
        begin = time.perf_counter()
        connection.request(request.method, request.path, request.content, endpoint.headers(request))
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            said = answer.read(_SHOWN_BYTES).decode(errors="replace")
            raise BenchError(f"a stream over {endpoint.name} was answered {answer.status}: {said}")
        arrivals: list[float] = []
        events = 0
        while piece := answer.read1(_READ_BYTES):
            if found := piece.count(_EVENT):
                arrivals.append((time.perf_counter() - begin) * 1000)
                events += found
    finally:
        connection.close()
    if not arrivals:
        raise BenchError(f"a stream over {endpoint.name} brought no event.")
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    return {"ttft_ms": arrivals[0], "gaps_ms": gaps, "events": events, "reads": len(arrivals)}


def summary(streams: list[Json]) -> Json:
    """Several streams over one way: {ttft_ms: of each, gap_p50_ms, gap_p99_ms, events, reads}."""
    gaps = [gap for one in streams for gap in one["gaps_ms"]]
    return {
        "ttft_ms": [round(one["ttft_ms"], 3) for one in streams],
        "gap_p50_ms": round(percentile(gaps, 0.50), 3),
        "gap_p99_ms": round(percentile(gaps, 0.99), 3),
        "events": sum(one["events"] for one in streams),
        "reads": sum(one["reads"] for one in streams),
    }
