# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Odd paths, methods, headers and sizes: no gap between how the gateway reads a request and how a model does."""

from __future__ import annotations

import json
import socket
import ssl
import time

import pytest

from . import http2_client
from .client import (
    Caller,
    RawAnswer,
    bearer,
    http_client,
    raw_exchange,
    read_answer,
    request_bytes,
)
from .errors import check_error
from .own_platform import OwnPlatform
from .platform_json import Model, Platform

# The default of platform_gateway.max_request_bytes is 8 MiB.
_MIB = 1024 * 1024
_ABOVE_THE_LIMIT = 9 * _MIB

# {m} is a model's name. All lead to it for somebody who reads paths carelessly.
_ODD_TARGETS = [
    "/v1/models/x/../{m}:predict",
    "/v1/models/x/%2e%2e/{m}:predict",
    "/v1/models/./{m}:predict",
    "/v1/models/%2e/{m}:predict",
    "/v1/../v1/models/{m}:predict",
    "/healthz/../v1/models/{m}:predict",
    "/healthz/%2e%2e/v1/models/{m}:predict",
    "/v1/models%2F{m}:predict",
    "/v1/models%2f{m}:predict",
    "/v1%2Fmodels/{m}:predict",
    "/v1/models%5C{m}:predict",
    "/v1/models\\{m}:predict",
    "/v1/models/x%2F..%2F{m}:predict",
    "/v1/models/x%252F..%252F{m}:predict",
    "//v1/models/{m}:predict",
    "/v1//models/{m}:predict",
    "/v1/models//{m}:predict",
    "/v1/models/{m}:predict/",
    "/v1/models/{m}:predict//",
    "/v1/models/{m}/:predict",
    "/v1/models/{m}%3Apredict",
    "/v1/models/{m}:predict%20",
    "/v1/models/{m}:predict%00",
    "/v1/models/{m}%00:predict",
    "/v1/models/{m};x=1:predict",
    "/v1/models;x=1/{m}:predict",
    "/v1;/models/{m}:predict",
    "/v1/models/{m}:predict;x=1",
    "/V1/MODELS/{m}:PREDICT",
    "/v1/Models/{m}:predict",
    "/v1/models/{m}:Predict",
    "/v1/models/{m}:predict#x",
    "/v1/models/{m}:predict?x=/healthz",
    "/v1/models/{m}:predict%3Fx",
    "/v1/models/{m}:predict:predict",
    "/v2/models/{m}/infer/",
    "/v2/models/{m}//infer",
    "/v2/models/{m}/versions/1/infer",
    "/v2/models/{m}/versions/../infer",
    "/v2/models/x/..%2f{m}/infer",
    "/v2/repository/models/{m}/load",
    "/v2/repository/models/{m}/unload",
    "/{m}/v1/models/{m}:predict",
    "/v1/models/{m}:predict\xc3\xa9",
    "/v1/models/%C0%AE%C0%AE/{m}:predict",
    "http://other.invalid/v1/models/{m}:predict",
    "v1/models/{m}:predict",
    "*",
    "/" + "a" * 5000 + "/../v1/models/{m}:predict",
]
_REFUSALS = {400, 401, 404, 405}


@pytest.fixture(scope="module")
def hidden(platform: Platform, tokens: dict[str, str]) -> list[tuple[str, Model]]:
    """Tokens, each with a predictive model that it must not reach."""
    found = [
        (tokens[tenant], model)
        for tenant in sorted(platform.tenants)
        for model in platform.hidden_from(tenant)
        if "v1" in model.apis
    ]
    if not found:
        pytest.skip("every tenant may use every predictive model")
    return found


@pytest.fixture(scope="module")
def usable(platform: Platform, tokens: dict[str, str]) -> tuple[str, Model]:
    """A token with a predictive model that it may use."""
    pairs = platform.pairs("v1")
    if not pairs:
        pytest.skip("no model of this platform speaks v1")
    tenant, model = pairs[0]
    return tokens[tenant], model


def _post(
    platform: Platform, target: str, model: Model, token: str | None, *, method: str = "POST"
) -> RawAnswer:
    body = json.dumps(dict(model.example_body)).encode()
    headers = [(b"content-type", b"application/json")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    raw = target.replace("{m}", model.name).encode("latin-1")
    return raw_exchange(platform, request_bytes(platform, method, raw, headers, body))


@pytest.mark.parametrize("target", _ODD_TARGETS)
def test_no_odd_path_reaches_a_foreign_model(
    platform: Platform, hidden: list[tuple[str, Model]], target: str
) -> None:
    for token, model in hidden:
        answer = _post(platform, target, model, token)
        assert answer.status in _REFUSALS, answer
        assert b"predictions" not in answer.body


@pytest.mark.parametrize("target", _ODD_TARGETS)
def test_no_odd_path_avoids_identity(
    platform: Platform, usable: tuple[str, Model], target: str
) -> None:
    answer = _post(platform, target, usable[1], None)
    assert answer.status in {400, 401}, answer


@pytest.mark.parametrize("target", _ODD_TARGETS)
def test_an_odd_path_is_either_served_or_refused_in_good_form(
    platform: Platform, usable: tuple[str, Model], target: str
) -> None:
    token, model = usable
    answer = _post(platform, target, model, token)
    assert answer.status in _REFUSALS | {200}, answer
    assert answer.headers.get("x-request-id"), answer
    if answer.status == 200:
        assert b"predictions" in answer.body or b"outputs" in answer.body, answer


@pytest.mark.parametrize("target", ["/v1/models/x%2Fy", "/v1/models%2Fx", "/v1%5Cmodels"])
def test_an_escaped_slash_is_refused(
    platform: Platform, usable: tuple[str, Model], target: str
) -> None:
    answer = _post(platform, target, usable[1], usable[0])
    assert answer.status == 400, answer


@pytest.mark.parametrize(
    "method",
    ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "FOO", "post", "PROPFIND"],
)
def test_another_method_reaches_no_model(
    platform: Platform, usable: tuple[str, Model], method: str
) -> None:
    token, model = usable
    for path in ("/v1/models/{m}:predict", "/v2/models/{m}/infer", "/v1/chat/completions"):
        answer = _post(platform, path, model, token, method=method)
        assert answer.status in {400, 403, 404, 405, 501}, (path, answer)
        assert b"predictions" not in answer.body


def test_the_gateway_is_no_proxy(platform: Platform, usable: tuple[str, Model]) -> None:
    authorization = [(b"authorization", f"Bearer {usable[0]}".encode())]
    for target in (b"127.0.0.1:22", b"example.com:443", f"{platform.host}:443".encode()):
        answer = raw_exchange(platform, request_bytes(platform, "CONNECT", target, authorization))
        assert answer.status == 0 or 400 <= answer.status < 500, answer


def test_no_upgrade_to_another_protocol(platform: Platform, usable: tuple[str, Model]) -> None:
    for protocol in (b"websocket", b"h2c", b"TLS/1.0"):
        headers = [
            (b"authorization", f"Bearer {usable[0]}".encode()),
            (b"connection", b"upgrade, http2-settings"),
            (b"upgrade", protocol),
            (b"http2-settings", b"AAMAAABkAARAAAAAAAIAAAAA"),
            (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            (b"sec-websocket-version", b"13"),
        ]
        answer = raw_exchange(platform, request_bytes(platform, "GET", b"/v1/models", headers))
        assert answer.status != 101, answer


# Each leaves open where a request ends: two readers could disagree, and the rest would be a second request.
_SMUGGLED = b"GET /v1/models/{m}:predict HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"content-length", b"6")],
        [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"identity")],
        [(b"transfer-encoding", b"xchunked")],
        [(b"transfer-encoding", b"chunked, gzip")],
        [(b"transfer-encoding", b"\x0bchunked")],
        [(b"transfer-encoding ", b"chunked")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"+5")],
        [(b"content-length", b"5, 5")],
        [(b"content-length", b"0x5")],
        [(b"content-length", b"99999999999999999999999")],
        [(b"host", b"other.invalid")],
        [(b"x y", b"z")],
        [(b"", b"z")],
        [(b"x", b"a\x00b")],
    ],
)
def test_an_ambiguous_request_is_refused(
    platform: Platform, usable: tuple[str, Model], headers: list[tuple[bytes, bytes]]
) -> None:
    token, model = usable
    authorization = (b"authorization", f"Bearer {token}".encode())
    head = request_bytes(platform, "POST", b"/v1/chat/completions", [authorization, *headers])
    smuggled = _SMUGGLED.replace(b"{m}", model.name.encode())
    answer = raw_exchange(platform, head + b"0\r\n\r\n" + smuggled)
    assert answer.status in {0, 400, 501}, answer


def test_duplicate_headers_of_the_inside_do_not_add_up(
    platform: Platform, hidden: list[tuple[str, Model]]
) -> None:
    for token, model in hidden:
        headers = [
            (b"authorization", f"Bearer {token}".encode()),
            *[(name, model.owner.encode()) for name in (b"x-tenant-id", b"X-Tenant-Id")] * 2,
            *[(b"x-ai-eg-model", model.name.encode())] * 2,
            (b"content-type", b"application/json"),
            (b"content-type", b"text/plain"),
        ]
        path = f"/v1/models/{model.name}:predict"
        body = json.dumps(dict(model.example_body)).encode()
        answer = raw_exchange(
            platform, request_bytes(platform, "POST", path.encode(), headers, body)
        )
        check_error(answer, path, 404)


@pytest.mark.parametrize("name", ["x_tenant_id", "X_TENANT_ID", "x-tenant_id"])
def test_an_underscore_is_no_dash(
    platform: Platform, hidden: list[tuple[str, Model]], name: str
) -> None:
    for token, model in hidden:
        headers = [
            (b"authorization", f"Bearer {token}".encode()),
            (name.encode(), model.owner.encode()),
        ]
        path = f"/v1/models/{model.name}:predict"
        answer = raw_exchange(
            platform, request_bytes(platform, "POST", path.encode(), headers, b"{}")
        )
        assert answer.status in {400, 404}, answer


def test_headers_that_are_too_large_are_refused(
    platform: Platform, usable: tuple[str, Model]
) -> None:
    authorization = (b"authorization", f"Bearer {usable[0]}".encode())
    for padding in ([(b"x-pad", b"x" * 100_000)], [(b"x-%d" % n, b"x") for n in range(500)]):
        request = request_bytes(platform, "GET", b"/v1/models", [authorization, *padding])
        answer = raw_exchange(platform, request)
        assert answer.status == 431, answer
        assert answer.headers.get("x-request-id"), answer


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_above_the_limit_is_refused(
    platform: Platform,
    own_platform: OwnPlatform | None,
    usable: tuple[str, Model],
    http2: bool,
    chunked: bool,
) -> None:
    token, model = usable
    content = b'{"instances": [], "pad": "' + b"x" * _ABOVE_THE_LIMIT + b'"}'
    headers = [bearer(token), ("content-type", "application/json")]
    for path in (f"/v1/models/{model.name}:predict", "/v1/chat/completions"):
        if http2:
            length = [] if chunked else [("content-length", str(len(content)))]
            answer = http2_client.post(platform, path, [*headers, *length], content)
        else:
            sent = iter([content[:_MIB], content[_MIB:]]) if chunked else content
            with http_client(platform) as client:
                answer = client.post(path, headers=headers, content=sent)
        if answer.status_code != 413 and own_platform is None:
            pytest.skip("this platform allows larger bodies")
        check_error(answer, path, 413)


def test_a_refusal_waits_for_a_small_body_so_that_no_client_loses_it(platform: Platform) -> None:
    headers = [("authorization", "Bearer nonsense"), ("content-type", "application/json")]
    early, status, reset = http2_client.post_late(platform, "/v1/chat/completions", headers, b"{}")
    assert (early, status, reset) == (0, 401, False)


def test_a_body_below_the_limit_is_served(platform: Platform, usable: tuple[str, Model]) -> None:
    token, model = usable
    body = {**model.example_body, "pad": "x" * _MIB}
    with Caller(platform, token) as caller:
        answer = caller.post(f"/v1/models/{model.name}:predict", body)
    assert answer.status_code == 200, answer.text


def test_headers_that_never_end_are_not_waited_for(platform: Platform) -> None:
    context = ssl.create_default_context(cafile=str(platform.ca_file))
    started = time.monotonic()
    with (
        socket.create_connection(platform.address, timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=platform.host) as tls,
    ):
        tls.sendall(f"GET /v1/models HTTP/1.1\r\nhost: {platform.host}\r\nx-slow: ".encode())
        answer = read_answer(tls, "GET")
    assert answer.status in {0, 408}, answer
    assert time.monotonic() - started < 25


def test_plain_http_is_not_spoken(platform: Platform) -> None:
    with socket.create_connection(platform.address, timeout=10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            assert not plain.recv(100).startswith(b"HTTP/")
        except ConnectionError:
            # Reset is the plainest refusal.
            return


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["TLS 1.0", "TLS 1.1"]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(platform: Platform, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(platform.ca_file))
    # Without this, OpenSSL itself would refuse, and the gateway would not be asked.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(platform.address, timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname=platform.host)
