# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from inferencebox.serving.paths import ReplicaPaths
from inferencebox.serving.spec import ReplicaSpec

from .asgi import Headers, Inner, ask


def _spec(*apis: str) -> ReplicaSpec:
    return ReplicaSpec(
        name="iris",
        tenant="tenant-a",
        version="2.0",
        framework="sklearn",
        artifact=Path("/nowhere"),
        socket=Path("/nowhere.sock"),
        credential_file=Path("/nowhere"),
        apis=apis,
    )


def _seen(path: str, *apis: str, headers: Headers = ()) -> dict[str, t.Any] | None:
    """What the SDK gets to see of a request; None when it is refused before."""
    inner = Inner()
    start, body = ask(ReplicaPaths(inner, _spec(*apis)), path, headers)
    if not inner.scopes:
        assert start["status"] == 404
        assert list(json.loads(body["body"])) == ["error"]
        return None
    return dict(inner.scopes[0])


@pytest.mark.parametrize(
    ("path", "apis", "served"),
    [
        ("/v1/models/iris:predict", ("v1",), True),
        ("/v1/models/iris:predict", ("v2",), False),
        ("/v1/models", ("v2",), False),
        ("/v2/models/iris/infer", ("v2",), True),
        ("/v2/models/iris/infer", ("v1",), False),
        ("/v2/models/iris", ("v1",), False),
        ("/v2", ("v1",), False),
        ("/v2", ("v2",), True),
        # How the platform sees that it is ready, whatever is published.
        ("/v2/models/iris/ready", ("v1",), True),
        ("/v2/models/other/ready", ("v1",), False),
        ("/v2/repository/index", ("v1", "v2"), False),
        ("/v2/repository/models/iris/unload", ("v1", "v2"), False),
        ("/metrics", ("v1",), True),
        ("/metrics/", ("v1",), False),
        ("/", ("v1", "v2"), False),
        ("/docs", ("v1", "v2"), False),
        ("/openapi.json", ("v1", "v2"), False),
        ("/openai/v1/models", ("v1", "v2"), False),
        ("/V1/models/iris:predict", ("v1",), False),
        ("//v1/models/iris:predict", ("v1",), False),
    ],
)
def test_only_what_is_published_is_served(
    path: str, apis: tuple[str, ...], *, served: bool
) -> None:
    assert (_seen(path, *apis) is not None) is served


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/v2/models/iris/versions/2.0", "/v2/models/iris"),
        ("/v2/models/iris/versions/2.0/", "/v2/models/iris"),
        ("/v2/models/iris/versions/2.0/infer", "/v2/models/iris/infer"),
        ("/v2/models/iris/versions/2.0/ready", "/v2/models/iris/ready"),
        ("/v2/models/iris/versions/2", None),
        ("/v2/models/iris/versions/", None),
        ("/v2/models/iris/versions/2.0x/infer", None),
        ("/v2/models/iris/versions/../infer", None),
        ("/v2/models/other/versions/2.0/infer", "/v2/models/other/versions/2.0/infer"),
    ],
)
def test_the_one_version_is_the_path_without(path: str, seen: str | None) -> None:
    found = _seen(path, "v1", "v2")
    assert (found and found["path"]) == seen
    if found and seen:
        assert found["raw_path"] == seen.encode()


def test_a_version_of_a_protocol_that_is_not_published_is_not_served() -> None:
    assert _seen("/v2/models/iris/versions/2.0/infer", "v1") is None


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (None, b"application/json"),
        (b"", b"application/json"),
        (b"application/x-www-form-urlencoded", b"application/json"),
        (b"Application/X-WWW-Form-Urlencoded; charset=utf-8", b"application/json"),
        (b"application/json; charset=utf-8", b"application/json; charset=utf-8"),
        (b"application/octet-stream", b"application/octet-stream"),
        (b"text/plain", b"text/plain"),
    ],
)
def test_a_body_whose_type_is_not_named_is_json(given: bytes | None, seen: bytes) -> None:
    headers = [(b"accept", b"*/*"), *([] if given is None else [(b"content-type", given)])]
    found = _seen("/v1/models/iris:predict", "v1", headers=headers)
    assert found is not None
    assert [value for name, value in found["headers"] if name == b"content-type"] == [seen]
    assert (b"accept", b"*/*") in found["headers"]


def test_the_servers_own_start_and_stop_pass() -> None:
    inner = Inner()
    ask(ReplicaPaths(inner, _spec("v1")), "", type="lifespan")
    assert len(inner.scopes) == 1
