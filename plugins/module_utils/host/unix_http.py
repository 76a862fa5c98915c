# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP over a Unix socket, with the standard library."""

from __future__ import annotations

import http.client
import socket

_PROBE_SECONDS = 2.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket; the host is only a header."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def probe(path: str, target: str) -> int:
    """HTTP status of a GET over a Unix socket; 0 when there is no answer."""
    connection = UnixConnection(path, _PROBE_SECONDS)
    try:
        connection.request("GET", target)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
