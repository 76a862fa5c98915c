# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one request to an ASGI application is answered with, and what the application got to see."""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field

from inferencebox.serving.auth import App, Message, Receive, Scope, Send

Headers = t.Sequence[tuple[bytes, bytes]]
NOTHING: Message = {"type": "http.request", "body": b"", "more_body": False}


@dataclass
class Inner:
    """An application that notes what it is asked and answers 200."""

    scopes: list[Scope] = field(default_factory=list)

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inner"})


def ask(app: App, path: str, headers: Headers = (), **scope: t.Any) -> list[Message]:
    """Send one request and return the messages of its answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return NOTHING

    async def send(message: Message) -> None:
        sent.append(message)

    whole = {"type": "http", "path": path, "headers": list(headers), **scope}

    async def serve() -> None:
        await app(whole, receive, send)

    asyncio.run(serve())
    return sent
