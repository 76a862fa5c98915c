# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inferencebox.serving.auth import App, Message, Receive, Scope, Send
from inferencebox.serving.contained import Contained

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


def asked(app: App, kind: str = "http") -> list[Message]:
    """What one request to a wrapped application is answered with."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Contained(app)({"type": kind}, receive, send))
    return sent


def failing(*answer: dict[str, Any]) -> App:
    """An application that sends some messages and then fails."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        for message in answer:
            await send(message)
        raise RuntimeError("secret detail")

    return app


def test_a_failure_before_the_answer_is_a_500_that_tells_nothing() -> None:
    start, body = asked(failing())
    assert start["status"] == 500
    assert b"secret" not in body["body"]


def test_a_failure_after_the_whole_answer_changes_nothing() -> None:
    answer = [START, {"type": "http.response.body", "body": b"x"}]
    assert asked(failing(*answer)) == answer


@pytest.mark.parametrize("more", [(), ({"type": "http.response.body", "more_body": True},)])
def test_a_failure_within_the_answer_ends_the_connection(more: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(RuntimeError):
        asked(failing(START, *more))


def test_a_failed_start_is_not_hidden() -> None:
    with pytest.raises(RuntimeError):
        asked(failing(), "lifespan")
