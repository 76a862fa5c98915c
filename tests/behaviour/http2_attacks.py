# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests in HTTP/2 that no proper client makes: each row turns the headers of a good one into them.

In HTTP/1.1 the form of a request is a matter of parsing; here it is one of fields that must not be there, be there
twice, or hold what only the other version can carry (RFC 9113, sections 8.2 and 8.3).
"""

from __future__ import annotations

import typing as t

Field = tuple[bytes, bytes]
Fields = list[Field]
Row = t.Callable[[Fields], Fields]

# A path that nobody needs an identity for: what a confused gateway might look at instead.
HARMLESS = b"/healthz"


def _first(*fields: Field) -> Row:
    return lambda good: [*fields, *good]


def _last(*fields: Field) -> Row:
    return lambda good: [*good, *fields]


def _instead(name: bytes, *values: bytes) -> Row:
    """The field with other values, in its place; without any it is left out."""

    def row(good: Fields) -> Fields:
        return [
            field
            for old in good
            for field in ([(name, value) for value in values] if old[0] == name else [old])
        ]

    return row


def _path(change: t.Callable[[bytes], bytes]) -> Row:
    return lambda good: _instead(b":path", change(dict(good)[b":path"]))(good)


def _renamed(old: bytes, new: bytes) -> Row:
    return lambda good: [(new if name == old else name, value) for name, value in good]


def _pseudo_last(good: Fields) -> Fields:
    return sorted(good, key=lambda field: field[0].startswith(b":"))


# RFC 9113 calls these malformed: whoever asks, they are not served.
MALFORMED: dict[str, Row] = {
    "another path before": _first((b":path", HARMLESS)),
    "another path behind": lambda good: [*good[:4], (b":path", HARMLESS), *good[4:]],
    "another path after the fields": _last((b":path", HARMLESS)),
    "two methods": _first((b":method", b"GET")),
    "two schemes": _first((b":scheme", b"http")),
    "two authorities": _first((b":authority", b"other.invalid")),
    "no path": _instead(b":path"),
    "empty path": _instead(b":path", b""),
    "no method": _instead(b":method"),
    "empty method": _instead(b":method", b""),
    "method with a space": _instead(b":method", b"POST /v1/models HTTP/1.1"),
    "no scheme": _instead(b":scheme"),
    "pseudo-header fields behind the others": _pseudo_last,
    "unknown pseudo-header field": _first((b":tenant", b"tenant-a")),
    "pseudo-header field of answers": _first((b":status", b"200")),
    "path with a space": _path(lambda path: path + b" HTTP/1.1"),
    "path with a null byte": _path(lambda path: path + b"\0"),
    "path with a line end": _path(lambda path: path + b" HTTP/1.1\r\nx-tenant-id: tenant-a\r\n"),
    "path with a tab": _path(lambda path: path + b"\t"),
    "path without a slash": _path(lambda path: path[1:]),
    "authorization in upper case": _renamed(b"authorization", b"Authorization"),
    "tenant in upper case": _last((b"X-Tenant-Id", b"tenant-a")),
    "connection: close": _last((b"connection", b"close")),
    "connection: names authorization": _last((b"connection", b"authorization")),
    "keep-alive": _last((b"keep-alive", b"timeout=5")),
    "proxy-connection": _last((b"proxy-connection", b"keep-alive")),
    "transfer-encoding: chunked": _last((b"transfer-encoding", b"chunked")),
    "upgrade": _last((b"upgrade", b"websocket")),
    "te: chunked": _last((b"te", b"chunked")),
    "name is empty": _last((b"", b"x")),
    "name with a space": _last((b"x y", b"z")),
    "name with a colon": _last((b"x-tenant-id: tenant-a", b"z")),
    "name with a line end": _last((b"x\r\nx-tenant-id", b"tenant-a")),
    "name with a null byte": _last((b"x\0", b"z")),
    "name is not ASCII": _last((b"x\xe9", b"z")),
    "value with a line end": _last((b"x", b"y\r\nx-tenant-id: tenant-a")),
    "value with a line feed": _last((b"x", b"y\nx-tenant-id: tenant-a")),
    "value with a carriage return": _last((b"x", b"y\rz")),
    "value with a null byte": _last((b"x", b"y\0z")),
    "content-length too small": _last((b"content-length", b"1")),
    "content-length too large": _last((b"content-length", b"1000000")),
    "content-length twice": _last((b"content-length", b"1"), (b"content-length", b"2")),
    "content-length is no number": _last((b"content-length", b"0x10")),
    "content-length is negative": _last((b"content-length", b"-1")),
    "method CONNECT with a path": _instead(b":method", b"CONNECT"),
    "extended CONNECT that was not offered": lambda good: [
        (b":protocol", b"websocket"),
        *_instead(b":method", b"CONNECT")(good),
    ],
}

# Odd, and no more: served as what they are or refused, but never as something else.
ODD: dict[str, Row] = {
    "host of another name": _last((b"host", b"other.invalid")),
    "another authority": _instead(b":authority", b"other.invalid"),
    "empty authority": _instead(b":authority", b""),
    "no authority": _instead(b":authority"),
    "authority with a user": _instead(b":authority", b"tenant-a@gateway.inference.localhost"),
    "scheme http": _instead(b":scheme", b"http"),
    "scheme of another kind": _instead(b":scheme", b"ftp"),
    "path that is not ASCII": _path(lambda path: path + b"\xff"),
    "path with a host": _path(lambda path: b"https://other.invalid" + path),
    "path with a fragment": _path(lambda path: path + b"#" + HARMLESS),
    "path through another": _path(lambda path: HARMLESS + b"/.." + path),
    "path with an encoded slash": _path(
        lambda path: path.replace(b"/", b"%2F").replace(b"%2F", b"/", 1)
    ),
    "path doubled slash": _path(lambda path: b"/" + path),
    "path star": _instead(b":path", b"*"),
    "te: trailers": _last((b"te", b"trailers")),
    "value begins with a space": _last((b"x", b" y")),
    "tenant twice": _last((b"x-tenant-id", b"tenant-a"), (b"x-tenant-id", b"tenant-b")),
    "tenant with an underscore": _last((b"x_tenant_id", b"tenant-a")),
    "authorization in two fields": lambda good: [
        *good,
        (b"authorization", b"Bearer wrong"),
    ],
    "cookie in crumbs": _last((b"cookie", b"a=b"), (b"cookie", b"c=d")),
    "expect": _last((b"expect", b"100-continue")),
    "method in lower case": _instead(b":method", b"post"),
    "method unknown": _instead(b":method", b"BREW"),
}
