# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The credential of a model server, case by case; that a replica asks for it, test_predictive.py shows."""

from __future__ import annotations

import json

import pytest

from inferencebox.serving.auth import BearerAuth

from .asgi import Headers, Inner, ask

_OPEN = "/v2/models/iris/ready"
_CREDENTIAL = "a-credential-of-tests"
_GOOD = (b"authorization", b"Bearer " + _CREDENTIAL.encode())


def _guarded() -> tuple[BearerAuth, Inner]:
    inner = Inner()
    return BearerAuth(inner, _CREDENTIAL, frozenset({_OPEN})), inner


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer ")],
        [(b"authorization", b"Bearer a-credential-of-test")],
        [(b"authorization", b"Bearer a-credential-of-tests ")],
        [(b"authorization", b"bearer a-credential-of-tests")],
        [(b"authorization", b"a-credential-of-tests")],
        [(b"authorization", b"Bearer \xff")],
        [(b"x-authorization", b"Bearer a-credential-of-tests")],
        [_GOOD, (b"authorization", b"Bearer wrong")],
        [(b"authorization", b"Bearer wrong"), _GOOD],
        [_GOOD, _GOOD],
    ],
)
def test_anything_but_the_one_credential_is_refused(headers: Headers) -> None:
    app, inner = _guarded()
    start, body = ask(app, "/v1/models/iris:predict", headers)
    assert start["status"] == 401
    assert dict(start["headers"])[b"www-authenticate"] == b"Bearer"
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert json.loads(body["body"]) == {"error": "missing or wrong credential"}
    assert inner.scopes == []


def test_the_credential_opens_every_path() -> None:
    app, inner = _guarded()
    for path in ("/v1/models/iris:predict", "/metrics", _OPEN):
        assert ask(app, path, [(b"host", b"x"), _GOOD])[0]["status"] == 200
    assert len(inner.scopes) == 3


@pytest.mark.parametrize("path", [f"{_OPEN}/", f"{_OPEN}x", f"/{_OPEN}", _OPEN.upper(), "", "/"])
def test_only_the_open_path_itself_is_open(path: str) -> None:
    app, _ = _guarded()
    assert ask(app, _OPEN)[0]["status"] == 200
    assert ask(app, path)[0]["status"] == 401


def test_the_servers_own_start_and_stop_need_no_credential() -> None:
    app, inner = _guarded()
    ask(app, "", type="lifespan")
    assert [scope["type"] for scope in inner.scopes] == ["lifespan"]
