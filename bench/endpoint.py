# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One way to a model server: where to connect, how, and with which credential."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

# Longer than any answer of the models under test takes, on a busy machine too.
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """What is asked, the same on every way: gateways here pass paths and bodies as they are."""

    name: str
    method: str
    path: str
    body: Mapping[str, t.Any] | None = None

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Endpoint:
    """One way to a model server.

    Attributes:
        name: As the results call it.
        authority: Host header, and the name that TLS verifies.
        credential: What `Authorization: Bearer` carries; None: nothing.
        unix: Path of a Unix socket to connect to, or None.
        address: Host and port to connect to, when it is no Unix socket.
        tls: How to verify the other side and what to show it; None: plain HTTP.
        network: Network namespace from which to connect, as a path; None: the machine's own. `connect` and `ask` know the own alone.
    """

    name: str
    authority: str
    credential: str | None = field(repr=False)
    unix: str | None = None
    address: tuple[str, int] | None = None
    tls: ssl.SSLContext | None = None
    network: str | None = None

    @property
    def url(self) -> str:
        """Scheme and authority."""
        port = f":{self.address[1]}" if self.address else ""
        return f"{'https' if self.tls else 'http'}://{self.authority}{port}"

    def headers(self, request: Request) -> dict[str, str]:
        """Headers of a request on this way, Host and Content-Length excepted."""
        headers = {"authorization": f"Bearer {self.credential}"} if self.credential else {}
        return {**headers, **({"content-type": "application/json"} if request.content else {})}

    def raw(self, request: Request) -> bytes:
        """A whole HTTP/1.1 request as bytes."""
        lines = [f"{request.method} {request.path} HTTP/1.1", f"host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in self.headers(request).items()]
        lines += [f"content-length: {len(request.content)}"] if request.content else []
        return "\r\n".join([*lines, "", ""]).encode() + request.content

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection; nothing of the handshakes is left for the first request."""
        if self.unix:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(TIMEOUT_SECONDS)
            sock.connect(self.unix)
        else:
            assert self.address
            sock = socket.create_connection(self.address, timeout=TIMEOUT_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            sock = self.tls.wrap_socket(sock, server_hostname=self.authority)
        connection = http.client.HTTPConnection(self.authority, timeout=TIMEOUT_SECONDS)
        connection.sock = sock
        return connection

    def ask(self, request: Request) -> int:
        """Send one request on a connection of its own.

        Returns:
            The status of the answer.
        """
        connection = self.connect()
        try:
            connection.request(
                request.method, request.path, request.content or None, self.headers(request)
            )
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()
