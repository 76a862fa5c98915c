# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""/healthz answers everybody; nothing else does."""

from __future__ import annotations

import pytest

from .client import Caller
from .errors import check_error, check_headers_tell_nothing
from .platform_json import Platform


def test_health_needs_no_identity_and_says_nothing(nobody: Caller) -> None:
    answer = nobody.get("/healthz")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert len(answer.content) <= len(b"ok\n"), answer.content
    check_headers_tell_nothing(answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/stats",
        "/config_dump",
        "/docs",
        "/openapi.json",
        "/health",
        "/healthz/",
        "/healthz/..",
        "/healthz/v1/models",
        "/HEALTHZ",
        "/ready",
        "/v2",
        "/v2/health/ready",
        "/v2/models",
        "/v1",
        "/v1/models",
        "/.well-known/jwks.json",
        "/admin",
        "/props",
        "/slots",
    ],
)
def test_everything_else_needs_an_identity(nobody: Caller, path: str) -> None:
    answer = nobody.get(path)
    assert answer.status_code in {400, 401}, answer.text
    check_error(answer, answer.request.url.path, answer.status_code)


@pytest.mark.parametrize("http2", [False, True])
def test_health_is_served_on_both_http_versions(platform: Platform, http2: bool) -> None:
    with Caller(platform, http2=http2) as caller:
        answer = caller.get("/healthz")
    assert answer.status_code == 200
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
