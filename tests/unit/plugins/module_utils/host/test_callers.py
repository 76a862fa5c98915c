# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models are asked as callers ask, until they answer, on a clock of the tests' own."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
import typing as t
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import callers, https

from tests.tls import Authority

NAME = "gateway.inference.localhost"
_Seen = tuple[str, str, str, t.Any]


class Tier1:
    """Answers each path with one status after the other, the last one again, and remembers what it was asked."""

    def __init__(self, authority: Authority) -> None:
        self.statuses: dict[str, list[int]] = {}
        self.seen: list[_Seen] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                outer.seen.append((self.command, self.path, self.headers["authorization"], body))
                left = outer.statuses[self.path]
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("content-length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(NAME))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.gateway = https.Gateway(
            "127.0.0.1", self.server.server_address[1], NAME, str(authority.ca_file)
        )


@pytest.fixture
def tier1(tmp_path: Path) -> Iterator[Tier1]:
    made = Tier1(Authority(tmp_path))
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def ask(tier1: Tier1, *models: str, timeout: float = 60) -> tuple[dict[str, str], float]:
    seconds = [0.0]

    def sleep(more: float) -> None:
        seconds[0] += more

    questions = [callers.Question(name, "tenant-a", f"/{name}") for name in models]
    late = callers.until_answered(
        tier1.gateway, questions, lambda tenant: f"of-{tenant}", timeout, lambda: seconds[0], sleep
    )
    return late, seconds[0]


def test_each_is_asked_as_its_tenant_until_it_answers(tier1: Tier1) -> None:
    tier1.statuses = {"/iris": [200], "/wine": [404, 503, 200]}
    late, seconds = ask(tier1, "iris", "wine")
    assert late == {}
    assert seconds > 0
    paths = [row[1] for row in tier1.seen]
    assert (paths.count("/iris"), paths.count("/wine")) == (1, 3)
    assert {row[2] for row in tier1.seen} == {"Bearer of-tenant-a"}


def test_what_is_to_be_sent_is_sent(tier1: Tier1) -> None:
    tier1.statuses = {"/chat": [200]}
    question = callers.Question("m", "tenant-a", "/chat", {"max_tokens": 1})
    assert callers.until_answered(tier1.gateway, [question], str, 60) == {}
    assert [(row[0], row[3]) for row in tier1.seen] == [("POST", {"max_tokens": 1})]


@pytest.mark.parametrize("status", [400, 422, 429])
def test_a_refusal_by_the_model_or_by_a_limit_is_an_answer(tier1: Tier1, status: int) -> None:
    tier1.statuses = {"/iris": [status]}
    assert ask(tier1, "iris") == ({}, 0.0)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_the_time_ends_with_what_was_said_last(tier1: Tier1, status: int) -> None:
    tier1.statuses = {"/iris": [status], "/wine": [200]}
    late, seconds = ask(tier1, "iris", "wine", timeout=3)
    assert late == {"iris": f"/iris is answered with {status}"}
    assert seconds == pytest.approx(3)


def test_nobody_at_the_door_is_told(tier1: Tier1) -> None:
    # Bound and not listening: nobody else can come to listen there.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        tier1.gateway = replace(tier1.gateway, port=bound.getsockname()[1])
        late, _ = ask(tier1, "iris", timeout=0)
    assert late == {"iris": f"nothing listens at {tier1.gateway}"}
