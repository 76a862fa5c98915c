# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers that a gateway gives by itself, in the form that each protocol's clients expect.

OpenAI: an error object with message, type, param, code. Anthropic: type, error.type, error.message.
KServe: {"error": "..."}. Texts never say whether a model of another tenant exists.
"""

from __future__ import annotations

import json

from .types import Json
from .xds import extension

OPENAI_PATHS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
)
ANTHROPIC_PATH = "/anthropic/v1/messages"
# OpenAI's paths, and /v1/models with or without an id; KServe's /v1/models/<m>:predict stays out by its colon.
OPENAI_REGEX = (
    r"/v1/(?:chat/completions|completions|embeddings|responses|models(?:/[^:/]+)?)(?:\?.*)?"
)
ANTHROPIC_REGEX = r"/anthropic/.*"

NOT_FOUND = "The model does not exist or you do not have access to it."
NO_MODEL = 'The body must be JSON and name a model: {"model": "..."}.'
NO_ROUTE = "There is no such path or method here."
# What comes with 401 (RFC 6750, section 3).
CHALLENGE = 'Bearer error="invalid_token"'

# status -> (type in OpenAI's terms, code, message)
_REASONS: dict[int, tuple[str, str, str]] = {
    400: ("invalid_request_error", "bad_request", "The request is malformed."),
    401: (
        "authentication_error",
        "invalid_api_key",
        "Send one valid credential: 'Authorization: Bearer <token or key>' or 'x-api-key: <key>'.",
    ),
    404: ("invalid_request_error", "not_found", NO_ROUTE),
    408: ("invalid_request_error", "request_timeout", "The request did not arrive in time."),
    413: ("invalid_request_error", "request_too_large", "The request body is too large."),
    415: (
        "invalid_request_error",
        "unsupported_encoding",
        "Send the body as it is, without content-encoding.",
    ),
    429: (
        "rate_limit_error",
        "rate_limit_exceeded",
        "Requests per minute are used up: {scope} limit.",
    ),
    431: ("invalid_request_error", "headers_too_large", "The request headers are too large."),
    500: ("server_error", "internal_error", "The gateway could not handle the request."),
    502: ("server_error", "bad_gateway", "The model server gave no usable answer."),
    503: ("server_error", "model_unavailable", "The model cannot answer now. Try again shortly."),
    504: ("server_error", "timeout", "The model did not answer in time."),
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    408: "invalid_request_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_SCOPE = "%RESP(x-ratelimit-scope)%"


def openai_error(status: int, message: str | None = None, code: str | None = None) -> Json:
    """OpenAI's error object for a status; `message` and `code` override the table."""
    kind, default_code, text = _REASONS[status]
    return {
        "error": {
            "message": message or text,
            "type": kind,
            "param": "model" if code == "model_not_found" else None,
            "code": code or default_code,
        }
    }


def anthropic_error(status: int, message: str | None = None) -> Json:
    """Anthropic's error object for a status."""
    kind = _ANTHROPIC_TYPES.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": message or _REASONS[status][2]}}


def kserve_error(status: int, message: str | None = None) -> Json:
    """KServe's error object for a status."""
    return {"error": message or _REASONS[status][2]}


def direct(status: int, body: Json) -> Json:
    """A route action that answers by itself, with a JSON body."""
    return {
        "direct_response": {"status": status, "body": {"inline_string": json.dumps(body)}},
        "response_headers_to_add": [_set("content-type", "application/json")],
    }


def local_reply_config() -> Json:
    """Rewrites every answer that Envoy itself makes into the caller's protocol, by path and status.

    Mappers see direct responses too: 404 is left out because every 404 here is a route's own, and 400 on a
    path that reads the model from its body says what such a route would say.
    """
    shapes = (
        (OPENAI_REGEX, openai_error, NO_MODEL),
        (ANTHROPIC_REGEX, anthropic_error, NO_MODEL),
        (None, kserve_error, None),
    )
    mappers = [
        _mapper(status, regex, shape(shown, bad_request if shown == 400 else None), shown)
        for regex, shape, bad_request in shapes
        for status, shown in _MAPPED.items()
    ]
    return {"mappers": mappers}


# Status that Envoy gives -> status shown. RBAC can only say 403; here that means a valid signature without
# an identity of this platform.
_MAPPED = {status: status for status in _REASONS if status != 404} | {403: 401}


def _mapper(status: int, path_regex: str | None, body: Json, shown: int) -> Json:
    conditions = [_status_filter(status)]
    if path_regex is not None:
        conditions.append(
            {
                "header_filter": {
                    "header": {
                        "name": ":path",
                        "string_match": {"safe_regex": {"regex": path_regex}},
                    }
                }
            }
        )
    mapper: Json = {
        "filter": conditions[0]
        if len(conditions) == 1
        else {"and_filter": {"filters": conditions}},
        "body_format_override": {
            "text_format_source": {"inline_string": json.dumps(body).replace("{scope}", _SCOPE)},
            "content_type": "application/json",
        },
    }
    # A request that is refused while it is still being read has no id yet; the ids of all others replace this one.
    headers = [_set("x-request-id", "%UNIQUE_ID%")]
    if status != shown:
        mapper["status_code"] = shown
        headers.append(_set("www-authenticate", CHALLENGE))
    return {**mapper, "headers_to_add": headers}


def _set(name: str, value: str) -> Json:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _status_filter(status: int) -> Json:
    return {
        "status_code_filter": {
            "comparison": {
                "op": "EQ",
                "value": {"default_value": status, "runtime_key": f"inferencebox.status_{status}"},
            }
        }
    }


def json_access_log(fields: Json) -> Json:
    """One JSON line a request on standard output. Fields are Envoy's command operators; never a body or a credential."""
    return extension(
        "envoy.access_loggers.stdout",
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        {"log_format": {"json_format": fields}},
    )
