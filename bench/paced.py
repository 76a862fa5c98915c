# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fixed rate of requests, spread evenly over so many connections.

In a closed loop with many connections something is always saturated, and latency is mostly the queue before it. Here the
rate is the same on every way and below what any of them can do, so what differs is what a way adds. h2load's own pacing
sends on all connections at once; this client gives each connection its own phase.
"""

from __future__ import annotations

import asyncio
import time

from .endpoint import TIMEOUT_SECONDS, Endpoint, Request
from .errors import BenchError
from .summary import Json, of_round

# Not counted: what happens once for each connection.
_WARM_UP_TURNS = 2
# Time to reach the first turn of the first connection after all are open.
_LEAD_SECONDS = 0.05


def measure(
    endpoint: Endpoint, request: Request, connections: int, rate: float, seconds: float
) -> Json:
    """One round.

    Args:
        endpoint: Whom to ask.
        request: What to ask; its answer has to come with a length.
        connections: How many are open and take turns.
        rate: Requests a second, over all connections.
        seconds: How long, after two requests on each connection that are not counted.

    Returns:
        {p50_ms, p99_ms, rps, answers, failed}.

    Raises:
        BenchError: No request was answered.
    """
    period = connections / rate
    turns = max(1, round(seconds / period))
    answers = asyncio.run(_all(endpoint, request, connections, period, turns))
    good = [milliseconds for status, milliseconds in answers if status == b"200"]
    if not good:
        raise BenchError(f"{request.name} over {endpoint.name} was never answered with 200.")
    return of_round(good, turns * period, len(answers) - len(good))


async def _all(
    endpoint: Endpoint, request: Request, connections: int, period: float, turns: int
) -> list[tuple[bytes, float]]:
    streams = [await _open(endpoint) for _ in range(connections)]
    start = time.perf_counter() + _LEAD_SECONDS
    answers = await asyncio.gather(
        *(
            _one(
                reader,
                writer,
                endpoint.raw(request),
                start + period * index / connections,
                period,
                turns,
            )
            for index, (reader, writer) in enumerate(streams)
        )
    )
    for _, writer in streams:
        writer.close()
    return [answer for one in answers for answer in one]


async def _open(endpoint: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = endpoint.authority if endpoint.tls else None
    if endpoint.unix:
        return await asyncio.open_unix_connection(
            endpoint.unix, ssl=endpoint.tls, server_hostname=name
        )
    assert endpoint.address
    return await asyncio.open_connection(*endpoint.address, ssl=endpoint.tls, server_hostname=name)


async def _one(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    content: bytes,
    due: float,
    period: float,
    turns: int,
) -> list[tuple[bytes, float]]:
    """Ask on one connection at its times; (status, milliseconds) of each turn that counts."""
    answers = []
    for turn in range(_WARM_UP_TURNS + turns):
        early = due - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        # The event loop wakes up to a millisecond late, which is the client's own; a request that could not be sent
        # because the one before it was late has waited since it was due.
        begin = time.perf_counter() if early > 0 else due
        writer.write(content)
        status = await asyncio.wait_for(_status(reader), TIMEOUT_SECONDS)
        if turn >= _WARM_UP_TURNS:
            answers.append((status, (time.perf_counter() - begin) * 1000))
        due += period
    return answers


async def _status(reader: asyncio.StreamReader) -> bytes:
    """Read one answer to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next(line for line in head if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return head[0].split(b" ", 2)[1]
