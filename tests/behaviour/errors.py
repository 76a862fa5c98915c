# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the platform promises about its refusals, per protocol."""

from __future__ import annotations

import json
import re
import typing as t

from .client import RawAnswer

if t.TYPE_CHECKING:
    import httpx2

_OPENAI = re.compile(
    r"/v1/(?:chat/completions|completions|embeddings|responses|models(?:/[^:/]+)?)(?:\?.*)?"
)
MODEL_NOT_FOUND = "model_not_found"
# Words that would tell a caller how the inside is built.
_INSIDE = re.compile(
    rb"envoy|upstream|rbac|jwt_authn|x-tenant-id|supervisor|tier-?[12]\b|uvicorn|fastapi|traceback"
    rb"|llama|/run/|\.sock",
    re.IGNORECASE,
)


def protocol(path: str) -> str:
    """Whose clients call this path: openai, anthropic or kserve."""
    if _OPENAI.fullmatch(path):
        return "openai"
    return "anthropic" if path.startswith("/anthropic/") else "kserve"


def check_error(
    answer: httpx2.Response | RawAnswer, path: str, status: int, *, code: str | None = None
) -> t.Any:
    """Asserts that an answer is a refusal as promised: status, body by protocol, request id, no leak.

    Args:
        answer: What came back.
        path: The path that was asked, for the protocol.
        status: Expected status.
        code: Expected code in OpenAI's error object.

    Returns:
        The parsed body.
    """
    got, content = _status_and_content(answer)
    shown = f"{path}: {got} {content[:300]!r}"
    assert got == status, f"expected {status}, got {shown}"
    assert answer.headers.get("x-request-id"), f"no x-request-id: {shown}"
    assert answer.headers.get("content-type", "").startswith("application/json"), shown
    assert not _INSIDE.search(content), f"the inside leaks: {shown}"
    check_headers_tell_nothing(answer.headers)
    if status == 401:
        assert answer.headers.get("www-authenticate", "").startswith("Bearer"), shown
    if status in {429, 503}:
        assert int(answer.headers["retry-after"]) >= 1, shown
    body = json.loads(content)
    check_shape(body, path)
    if code is not None and protocol(path) == "openai":
        assert body["error"]["code"] == code, shown
    return body


def check_shape(body: t.Any, path: str) -> None:
    """Asserts that a parsed error body has the form of its path's protocol."""
    match protocol(path):
        case "openai":
            assert set(body) == {"error"}, body
            error = body["error"]
            assert {"message", "type", "param", "code"} <= set(error), body
            assert isinstance(error["message"], str), body
            assert isinstance(error["type"], str), body
        case "anthropic":
            assert body["type"] == "error", body
            assert {"type", "message"} <= set(body["error"]), body
        case _:
            assert isinstance(body["error"], str), body
            assert body["error"], body


def check_headers_tell_nothing(headers: t.Mapping[str, str]) -> None:
    """Asserts that no header of an answer speaks of the inside."""
    for name, value in headers.items():
        assert not name.lower().startswith(("x-envoy", "x-tenant", "x-user", "x-forwarded")), name
        assert not _INSIDE.search(value.encode()), f"{name}: {value}"


def _status_and_content(answer: httpx2.Response | RawAnswer) -> tuple[int, bytes]:
    if isinstance(answer, RawAnswer):
        return answer.status, answer.body
    return answer.status_code, answer.content
