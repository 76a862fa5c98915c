# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model server that says what reached it, in the protocol in which it was asked.

`python echo_backend.py PORT [CERTIFICATE KEY]`. OpenAI's chat answers carry the report as the message's
content and usage of 7 tokens; everything else answers with the report itself. The body's key `say` makes it
answer otherwise: `{"status": 503}`, `{"sleep": 2.5}`, `{"stream": 3}`. Hosts that begin with `broken.` always get 503.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


class Echo(BaseHTTPRequestHandler):
    """Answers every request."""

    protocol_version = "HTTP/1.1"
    server_version = "echo"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body: Any = json.loads(raw or b"null")
        except ValueError:
            body = None
        say = body.get("say", {}) if isinstance(body, dict) else {}
        if self.headers.get("host", "").startswith("broken."):
            say = {"status": 503}
        time.sleep(say.get("sleep", 0))
        report = {
            "port": int(sys.argv[1]),
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body,
        }
        if isinstance(body, dict) and body.get("stream"):
            self._stream(int(say.get("stream", 3)))
        else:
            answer = _completion(report) if "/chat/" in self.path else report
            self._send(int(say.get("status", 200)), json.dumps(answer).encode())

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, chunks: int) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number in range(chunks):
            delta = {"index": 0, "delta": {"content": f"{number} "}, "finish_reason": None}
            self._chunk({**_CHUNK, "choices": [delta]})
        self._chunk({**_CHUNK, "choices": [], "usage": USAGE})
        self._write(b"data: [DONE]\n\n")
        self._write(b"")

    def _chunk(self, event: dict[str, Any]) -> None:
        self._write(f"data: {json.dumps(event)}\n\n".encode())

    def _write(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the library's
        """Say nothing."""


_CHUNK = {"id": "echo", "object": "chat.completion.chunk", "created": 1, "model": "echo"}


def _completion(report: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": json.dumps(report)}
    return {
        "id": "echo",
        "object": "chat.completion",
        "created": 1,
        "model": "echo",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
