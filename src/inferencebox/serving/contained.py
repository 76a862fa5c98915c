# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One request that goes wrong takes no other one with it."""

from __future__ import annotations

import logging

from .auth import App, Message, Receive, Scope, Send, send_error

log = logging.getLogger(__name__)


class Contained:
    """ASGI middleware around everything else: an exception is answered with 500 and goes no further.

    uvicorn closes the connection under an exception. The tier in front keeps connections open and would meet the closed
    one with the next request, which is somebody else's.
    """

    def __init__(self, app: App) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI defines it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = ended = False

        async def watch(message: Message) -> None:
            nonlocal begun, ended
            begun = True
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            # Starlette answers, and raises the same again for whoever is outside.
            if ended:
                return
            if begun:
                raise  # half an answer has gone: closing the connection is the only way to say so
            log.exception("request failed")
            await send_error(send, 500, "the model failed on this request")
