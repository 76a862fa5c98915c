# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP/2 as a careful client speaks it: it reads while it writes, and asks much at once on one connection.

A gateway may answer before it has read the whole body and then end the stream (RFC 9113, section 8.1). The HTTP client
of this suite waits for leave to send on before it looks at answers, and so never sees such a one; and its threads wait for each
other's answers on a connection that they share.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import typing as t

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import httpx2

from .platform_json import Platform

_SECONDS = 30.0
_READ_BYTES = 65_536
_PAUSE_SECONDS = 0.5


def post(
    platform: Platform, path: str, headers: t.Sequence[tuple[str, str]], content: bytes
) -> httpx2.Response:
    """Send as much of a body as the gateway wants to have, and return its answer.

    Args:
        platform: The platform.
        path: Path, with a query if need be.
        headers: Further headers; a content-length only if it is among them.
        content: The body.

    Returns:
        The answer. Its status is 0 when the stream ended without one.
    """
    with _connected(platform) as (tls, connection):
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, [*_pseudo(platform, "POST", path), *headers])
        return _exchange(tls, connection, stream, content)


def post_late(
    platform: Platform, path: str, headers: t.Sequence[tuple[str, str]], content: bytes
) -> tuple[int, int, bool]:
    """Send a body half a second after its headers.

    Returns:
        The status of an answer that came before the body, or 0; that of the answer to the whole request, or 0; whether the
        stream was reset in the half second after that.
    """
    with _connected(platform) as (tls, connection):
        stream = connection.get_next_available_stream_id()
        length = ("content-length", str(len(content)))
        connection.send_headers(stream, [*_pseudo(platform, "POST", path), *headers, length])
        early = _status(_events(tls, connection, _PAUSE_SECONDS))
        if early:
            return early, 0, False
        connection.send_data(stream, content, end_stream=True)
        seen = []
        for event in _events(tls, connection, _SECONDS):
            seen.append(event)
            if isinstance(event, h2.events.StreamEnded):
                break
        seen += _events(tls, connection, _PAUSE_SECONDS)
    return 0, _status(seen), any(isinstance(event, h2.events.StreamReset) for event in seen)


def _events(
    tls: ssl.SSLSocket, connection: h2.connection.H2Connection, seconds: float
) -> t.Iterator[h2.events.Event]:
    """Send what waits to be sent, then tell what the gateway says in so many seconds."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        tls.sendall(connection.data_to_send())
        tls.settimeout(left)
        try:
            received = tls.recv(_READ_BYTES)
        except TimeoutError:
            return
        if not received:
            return
        yield from connection.receive_data(received)


def _status(events: t.Iterable[h2.events.Event]) -> int:
    """Status of the answer among them; 0 without one."""
    for event in events:
        if isinstance(event, h2.events.ResponseReceived):
            return int(next(value for name, value in event.headers if str(name) == ":status"))
    return 0


def send_raw(
    platform: Platform,
    fields: t.Sequence[tuple[bytes, bytes]],
    content: bytes,
    trailers: t.Sequence[tuple[bytes, bytes]] = (),
) -> httpx2.Response:
    """Send fields as they are: for requests that no proper client would make.

    Args:
        platform: The platform.
        fields: All fields of the request, pseudo-header fields too, in this order.
        content: The body.
        trailers: Fields after the body.

    Returns:
        The answer. Its status is 0 when the stream or the connection ended without one.
    """
    try:
        with _connected(platform, careful=False) as (tls, connection):
            stream = connection.get_next_available_stream_id()
            connection.send_headers(stream, list(fields))
            return _exchange(tls, connection, stream, content, list(trailers))
    except (ConnectionError, ssl.SSLError, h2.exceptions.ProtocolError):
        # The gateway has hung up.
        return httpx2.Response(0)


def get_many(
    platform: Platform, path: str, headers: t.Sequence[tuple[str, str]], count: int
) -> list[int]:
    """Ask the same many times at once on one connection, and return the status of each answer."""
    with _connected(platform) as (tls, connection):
        for _ in range(count):
            stream = connection.get_next_available_stream_id()
            request = [*_pseudo(platform, "GET", path), *headers]
            connection.send_headers(stream, request, end_stream=True)
        found: list[int] = []
        ended = 0
        while ended < count:
            tls.sendall(connection.data_to_send())
            received = tls.recv(_READ_BYTES)
            for event in connection.receive_data(received):
                if isinstance(event, h2.events.ResponseReceived):
                    answered = {str(name): str(value) for name, value in event.headers}
                    found.append(int(answered[":status"]))
                elif isinstance(event, h2.events.DataReceived):
                    size = event.flow_controlled_length
                    connection.acknowledge_received_data(size, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                    ended += 1
            if not received:
                return found
    return found


@contextlib.contextmanager
def _connected(
    platform: Platform, *, careful: bool = True
) -> t.Iterator[tuple[ssl.SSLSocket, h2.connection.H2Connection]]:
    context = ssl.create_default_context(cafile=str(platform.ca_file))
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(platform.address, timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=platform.host) as tls,
    ):
        configuration = h2.config.H2Configuration(
            header_encoding="utf-8",
            validate_outbound_headers=careful,
            normalize_outbound_headers=careful,
        )
        connection = h2.connection.H2Connection(configuration)
        connection.initiate_connection()
        yield tls, connection


def _pseudo(platform: Platform, method: str, path: str) -> list[tuple[str, str]]:
    return [
        (":method", method),
        (":scheme", "https"),
        (":authority", platform.host),
        (":path", path),
    ]


def _exchange(
    tls: ssl.SSLSocket,
    connection: h2.connection.H2Connection,
    stream: int,
    rest: bytes,
    trailers: t.Sequence[tuple[bytes, bytes]] = (),
) -> httpx2.Response:
    status, answered, body = 0, {}, b""
    sending = True
    while True:
        if sending:
            rest, sending = _send_some(connection, stream, rest, trailers)
        tls.sendall(connection.data_to_send())
        received = tls.recv(_READ_BYTES)
        for event in connection.receive_data(received):
            if isinstance(event, h2.events.ResponseReceived):
                answered = {str(name): str(value) for name, value in event.headers}
                status, sending = int(answered.pop(":status")), False
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                return httpx2.Response(status, headers=answered, content=body)
        if not received:
            return httpx2.Response(status, headers=answered, content=body)


def _send_some(
    connection: h2.connection.H2Connection,
    stream: int,
    rest: bytes,
    trailers: t.Sequence[tuple[bytes, bytes]],
) -> tuple[bytes, bool]:
    """Send what the windows leave room for. Returns what is left, and whether there is more to come."""
    while rest:
        room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
        if room <= 0:
            return rest, True
        connection.send_data(stream, rest[:room])
        rest = rest[room:]
    if trailers:
        connection.send_headers(stream, trailers, end_stream=True)
    else:
        connection.end_stream(stream)
    return rest, False
