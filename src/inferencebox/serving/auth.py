# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Nobody but the tier in front may speak to a model server: the bearer credential."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNAUTHORIZED = 401


async def send_error(send: Send, status: int, message: str) -> None:
    """Answer with KServe's error body, `{"error": message}`."""
    body = json.dumps({"error": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class BearerAuth:
    """ASGI middleware that lets only holders of the credential through, except on the open paths."""

    def __init__(self, app: App, credential: str, open_paths: frozenset[str]) -> None:
        """Wrap an application.

        Args:
            app: What is protected.
            credential: What `Authorization: Bearer` has to carry.
            open_paths: Paths that answer anyone, compared exactly.
        """
        self._app = app
        self._expected = f"Bearer {credential}".encode()
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI defines it."""
        if (
            scope["type"] == "http"
            and scope["path"] not in self._open_paths
            and not self._known(scope)
        ):
            await send_error(send, UNAUTHORIZED, "missing or wrong credential")
            return
        await self._app(scope, receive, send)

    def _known(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        # In constant time: how far a guess was right must not show.
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)
