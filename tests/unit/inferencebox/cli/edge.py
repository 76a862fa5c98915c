# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An HTTPS server in the place of a platform's edge: it notes what it is asked, and answers as a test says."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tests.tls import Authority

HOST = "gateway.inference.localhost"


@dataclass(frozen=True)
class Asked:
    """One request; names of headers in lower case."""

    path: str
    headers: dict[str, str]
    body: t.Any


@dataclass
class Edge:
    """The server.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        asked: Requests so far.
        status: Status of the next answers.
        headers: Their headers.
        content: Their body.
    """

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"{}"

    def answers(self, status: int, body: t.Any, **headers: str) -> None:
        """Answer with JSON from now on."""
        self.status, self.content = status, json.dumps(body).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@contextlib.contextmanager
def edge(directory: Path) -> t.Iterator[Edge]:
    """Serve while the block runs; `directory` gets ca.crt, which vouches for it."""
    made = Edge()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append(Asked(self.path, headers, json.loads(body)))
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(made.content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(directory).issue(HOST))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        made.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
