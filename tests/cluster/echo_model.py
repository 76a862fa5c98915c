# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests' node runs for a model server: it answers every request with what it was asked, and counts.

`GET /asked` lists the requests before it, so that a test sees what a mirror got.
"""

from __future__ import annotations

import http.server
import json
import os
import threading
from typing import Any

_PORT = 8080
_asked: list[dict[str, Any]] = []
_lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as JSON."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        seen: dict[str, Any] = {
            "pod": os.environ["HOSTNAME"],
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(errors="replace"),
        }
        with _lock:
            told: Any = list(_asked) if self.path == "/asked" else seen
            if self.path != "/asked" and "kube-probe" not in seen["headers"].get("user-agent", ""):
                _asked.append(seen)
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _answer  # noqa: N815 - named by the standard library

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", _PORT), Handler).serve_forever()
