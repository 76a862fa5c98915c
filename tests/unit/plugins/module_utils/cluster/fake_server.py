# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for an API server: answers requests from a table and remembers them."""

from __future__ import annotations

import json
import ssl
import typing as t
from collections.abc import Callable

import httpx
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.kubeconfig import (
    Connection,
)

Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """Requests that were made, and an `Api` that makes them here."""

    def __init__(self, answer: Answer, patience: float = 5.0) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer
        connection = Connection("https://cluster", ssl.create_default_context())
        self.api = Api(connection, patience, httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)

    def asked(self, method: str) -> list[str]:
        """Paths of the requests by one method, in order."""
        return [one.url.path for one in self.requests if one.method == method]


def body(request: httpx.Request) -> dict[str, t.Any]:
    """What a request carries."""
    return dict(json.loads(request.content))


def status(code: int, message: str, reason: str = "", **details: t.Any) -> httpx.Response:
    """An error as the API server writes it."""
    content = {"kind": "Status", "message": message, "reason": reason, "details": details}
    return httpx.Response(code, json=content)
