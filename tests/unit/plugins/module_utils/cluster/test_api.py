# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests: what they carry, which are repeated, and how errors read."""

from __future__ import annotations

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    ClusterError,
    RefusedError,
)

from .fake_server import Server, body, status


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_apply_is_strict_and_names_its_manager() -> None:
    server = Server(lambda _: httpx.Response(201, json={"kind": "ConfigMap"}))
    made = {"kind": "ConfigMap"}
    new, live = server.api.apply("/api/v1/x", made, "somebody", dry_run=False, force=False)
    assert (new, live) == (True, made)
    (request,) = server.requests
    assert request.method == "PATCH"
    assert dict(request.url.params) == {"fieldManager": "somebody", "fieldValidation": "Strict"}
    assert request.headers["content-type"] == "application/apply-patch+yaml"
    assert body(request) == made


def test_a_dry_run_says_so_and_force_is_a_choice() -> None:
    server = Server(lambda _: httpx.Response(200, json={}))
    new, _ = server.api.apply("/x", {}, "me", dry_run=True, force=True)
    assert new is False
    params = dict(server.requests[0].url.params)
    assert (params["dryRun"], params["force"]) == ("All", "true")


def test_a_list_is_read_to_its_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = request.url.params.get("continue", "1")
        following = {"1": "2", "2": ""}[page]
        return httpx.Response(
            200, json={"metadata": {"continue": following}, "items": [{"page": page}]}
        )

    server = Server(answer)
    assert [one["page"] for one in server.api.list_all("/x", "a=b")] == ["1", "2"]
    assert {request.url.params["labelSelector"] for request in server.requests} == {"a=b"}


def test_a_deletion_is_of_the_very_object_that_was_seen() -> None:
    server = Server(lambda _: httpx.Response(200, json={}))
    server.api.delete("/x", "uid-1", dry_run=False)
    options = body(server.requests[0])
    assert options["preconditions"] == {"uid": "uid-1"}
    assert options["propagationPolicy"] == "Background"
    assert "dryRun" not in options


@pytest.mark.parametrize(
    "failure",
    [
        status(429, "too many requests"),
        status(503, "the server is starting"),
        status(500, 'Internal error occurred: failed calling webhook "x": connection refused'),
        status(409, "the object has been modified; please apply your changes again"),
    ],
)
def test_what_passes_by_itself_is_repeated(failure: httpx.Response) -> None:
    answers = iter([failure, httpx.Response(200, json={"fine": True})])
    server = Server(lambda _: next(answers))
    assert server.api.get("/x") == {"fine": True}


@pytest.mark.parametrize(
    "failure",
    [
        status(404, "not found", "NotFound"),
        status(403, "forbidden", "Forbidden"),
        status(422, "spec.x: Invalid value", "Invalid"),
        status(500, ".spec.x: field not declared in schema"),
        status(409, "Apply failed with 1 conflict", "Conflict"),
    ],
)
def test_a_refusal_is_final(failure: httpx.Response) -> None:
    server = Server(lambda _: failure)
    with pytest.raises(RefusedError) as caught:
        server.api.get("/x")
    assert caught.value.code == failure.status_code
    assert len(server.requests) == 1


def test_patience_has_an_end() -> None:
    server = Server(lambda _: status(503, "the server is starting"), patience=0.0)
    with pytest.raises(RefusedError, match="the server is starting"):
        server.api.get("/x")


def test_the_server_may_ask_for_a_longer_pause_than_there_is_time() -> None:
    asked = httpx.Response(429, json={"message": "later"}, headers={"Retry-After": "3600"})
    server = Server(lambda _: asked)
    with pytest.raises(RefusedError, match="later"):
        server.api.get("/x")
    assert len(server.requests) == 1


def test_a_page_of_a_proxy_is_not_shown() -> None:
    server = Server(lambda _: httpx.Response(404, text="<html>nothing here</html>"))
    with pytest.raises(RefusedError) as caught:
        server.api.get("/x")
    assert str(caught.value) == "GET /x: HTTP 404"


def test_a_lost_connection_is_tried_again_and_a_refused_one_is_not() -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        if len(server.requests) == 1:
            raise httpx.RemoteProtocolError("server disconnected", request=request)
        return httpx.Response(200, json={})

    server = Server(lost)
    assert server.api.get("/x") == {}

    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    server = Server(refused)
    with pytest.raises(ClusterError, match="https://cluster does not answer: connection refused"):
        server.api.get("/x")
    assert len(server.requests) == 1
