# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attack table: hostile and malformed credentials, none of which may be accepted.

Each row makes the headers (and the query) of one request. ISSUER_ROWS are signed with the platform's
own key, which only a test on the same machine can read.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .forge import P256_ORDER, Forge, b64, raw_signature, unb64

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Presented:
    """How a credential arrives."""

    headers: Headers
    query: bytes = b""


Make = t.Callable[[Forge], str | bytes]
Present = t.Callable[[Forge], Presented]


def _bearer(make: Make) -> Present:
    """Presents what `make` returns as a bearer token."""

    def present(forge: Forge) -> Presented:
        return Presented([authorization(make(forge))])

    return present


def authorization(token: str | bytes) -> tuple[bytes, bytes]:
    """An Authorization header that a client library would refuse to send where it is hostile."""
    return (b"authorization", b"Bearer " + (token.encode() if isinstance(token, str) else token))


def _bit_flipped(part: str, index: int) -> str:
    raw = bytearray(unb64(part))
    raw[index] ^= 1
    return b64(bytes(raw))


def _with_part(forge: Forge, position: int, part: str) -> str:
    parts = list(forge.parts)
    parts[position] = part
    return ".".join(parts)


def _with_alg(algorithm: object, *, keep_signature: bool = False) -> Make:
    def make(forge: Forge) -> str:
        signature = forge.parts[2] if keep_signature else ""
        return f"{forge.unsigned({**forge.header, 'alg': algorithm})}.{signature}"

    return make


def _without(header: dict[str, t.Any], key: str) -> dict[str, t.Any]:
    return {k: v for k, v in header.items() if k != key}


def _claimed_by_attacker(**header: object) -> Make:
    """Signed with the attacker's key, under a header that asks the verifier to look elsewhere."""
    return lambda forge: forge.by_attacker({**forge.header, **header})


def _signature(r: int, s: int) -> Make:
    return lambda forge: _with_part(forge, 2, b64(raw_signature(r, s)))


def _raw_json(header: str) -> Make:
    return lambda forge: forge.by_attacker(header)


_ALGORITHM: dict[str, Make] = {
    "alg none": _with_alg("none"),
    "alg None": _with_alg("None"),
    "alg NONE": _with_alg("NONE"),
    "alg nOnE": _with_alg("nOnE"),
    "alg none with a space": _with_alg("none "),
    "alg none with a signature": _with_alg("none", keep_signature=True),
    "alg empty": _with_alg(""),
    "alg null": _with_alg(None, keep_signature=True),
    "alg number": _with_alg(256, keep_signature=True),
    "alg list": _with_alg(["ES256"], keep_signature=True),
    "alg lower case": _with_alg("es256", keep_signature=True),
    "alg unknown": _with_alg("ES999", keep_signature=True),
    "alg missing": lambda f: f"{f.unsigned(_without(f.header, 'alg'))}.{f.parts[2]}",
    "alg twice, none last": _raw_json('{"alg":"ES256","alg":"none","typ":"JWT"}'),
    "alg twice, none first": _raw_json('{"alg":"none","alg":"ES256","typ":"JWT"}'),
    "HS256 with an empty secret": lambda f: f.by_secret(b"\0"),
    "HS256 with the key id": lambda f: f.by_secret(str(f.header.get("kid", "kid")).encode()),
    "HS256 with the word secret": lambda f: f.by_secret(b"secret"),
    "HS384 with the issuer's name": lambda f: f.by_secret(str(f.claims["iss"]).encode(), "HS384"),
    "HS512 with the issuer's name": lambda f: f.by_secret(str(f.claims["iss"]).encode(), "HS512"),
    "RS256 by another key": lambda f: f.by_other_algorithm("RS256"),
    "PS256 by another key": lambda f: f.by_other_algorithm("PS256"),
    "EdDSA by another key": lambda f: f.by_other_algorithm("EdDSA"),
    "ES384 by another key": lambda f: f.by_other_algorithm("ES384"),
}

_KEY: dict[str, Make] = {
    "another key, same key id": lambda f: f.by_attacker(f.header),
    "another key, no key id": lambda f: f.by_attacker(_without(f.header, "kid")),
    "key id unknown": _claimed_by_attacker(kid="unknown"),
    "key id empty": _claimed_by_attacker(kid=""),
    "key id null": _claimed_by_attacker(kid=None),
    "key id number": _claimed_by_attacker(kid=1),
    "key id list": _claimed_by_attacker(kid=["a", "b"]),
    "key id is a path": _claimed_by_attacker(kid="../../../../dev/null"),
    "key id is SQL": _claimed_by_attacker(kid="x' UNION SELECT 'y"),
    "key id is a URL": _claimed_by_attacker(kid="https://attacker.invalid/jwks.json"),
    "key id twice": _raw_json('{"alg":"ES256","kid":"a","kid":"b"}'),
    "jwk in the header": lambda f: f.by_attacker({**f.header, "jwk": f.attacker_jwk}),
    "jku in the header": _claimed_by_attacker(jku="https://attacker.invalid/jwks.json"),
    "jku on this machine": _claimed_by_attacker(jku="http://127.0.0.1:1/jwks.json"),
    "x5u in the header": _claimed_by_attacker(x5u="https://attacker.invalid/cert.pem"),
    "x5c in the header": _claimed_by_attacker(x5c=["MIIB"]),
    "crit unknown": _claimed_by_attacker(crit=["exp-policy"], **{"exp-policy": 1}),
    "b64 false": _claimed_by_attacker(b64=False, crit=["b64"]),
    "zip": _claimed_by_attacker(zip="DEF"),
    "header has another order": lambda f: (
        f"{f.unsigned(dict(reversed(f.header.items())), None)}.{f.parts[2]}"
    ),
    "claims changed, signature kept": lambda f: (
        f"{f.unsigned(f.header, {**f.claims, 'exp': f.now + 86400})}.{f.parts[2]}"
    ),
}

_SIGNATURE: dict[str, Make] = {
    "header, one bit": lambda f: _with_part(f, 0, _bit_flipped(f.parts[0], 3)),
    "payload, one bit": lambda f: _with_part(f, 1, _bit_flipped(f.parts[1], -3)),
    "signature, first bit": lambda f: _with_part(f, 2, _bit_flipped(f.parts[2], 0)),
    "signature, middle bit": lambda f: _with_part(f, 2, _bit_flipped(f.parts[2], 32)),
    "signature, last bit": lambda f: _with_part(f, 2, _bit_flipped(f.parts[2], -1)),
    "signature of zeros": _signature(0, 0),
    "signature r zero": _signature(0, 1),
    "signature s zero": _signature(1, 0),
    "signature is the group order": _signature(P256_ORDER, P256_ORDER),
    "signature twice": lambda f: f.good + f.parts[2],
    "signature too short": lambda f: _with_part(f, 2, b64(unb64(f.parts[2])[:63])),
    "signature too long": lambda f: _with_part(f, 2, b64(unb64(f.parts[2]) + b"\0")),
    "signature missing": lambda f: ".".join(f.parts[:2]),
    "signature empty": lambda f: _with_part(f, 2, ""),
    "signature of another token": lambda f: _with_part(f, 2, f.by_attacker(f.header).split(".")[2]),
}

_FORM: dict[str, Make] = {
    "nothing": lambda _: "",
    "one word": lambda _: "token",
    "two dots": lambda _: "..",
    "many dots": lambda _: "." * 1000,
    "four parts": lambda f: f"{f.good}.{f.parts[2]}",
    "five parts, as encrypted": lambda f: f"{f.good}.{f.parts[2]}.{f.parts[2]}",
    "leading dot": lambda f: f".{f.good}",
    "cut in the header": lambda f: f.good[:10],
    "cut in the payload": lambda f: f.good[: len(f.parts[0]) + 20],
    "cut in the signature": lambda f: f.good[:-8],
    "cut by one character": lambda f: f.good[:-1],
    "header not JSON": _raw_json("header"),
    "header empty object": _raw_json("{}"),
    "header is a list": _raw_json('["ES256"]'),
    "header deeply nested": _raw_json('{"a":' * 500 + "1" + "}" * 500),
    "payload not JSON": lambda f: f.by_attacker(f.header, "claims"),
    "payload is a list": lambda f: f.by_attacker(f.header, "[1,2]"),
    "payload is null": lambda f: f.by_attacker(f.header, "null"),
    "payload empty": lambda f: f"{f.parts[0]}..{f.parts[2]}",
    "payload repeats a claim": lambda f: f.by_attacker(f.header, '{"tenant":"a","tenant":"b"}'),
    "token inside a token": lambda f: f.by_attacker({**f.header, "cty": "JWT"}, f.good),
    "encoded twice": lambda f: b64(f.good),
    "as JSON serialization": lambda f: json.dumps(
        dict(zip(("protected", "payload", "signature"), f.parts, strict=True))
    ),
    "URL encoded dots": lambda f: f.good.replace(".", "%2E"),
    "padded with equals signs": lambda f: f"{f.good}==",
    "standard base64 alphabet": lambda f: f"{f.parts[0]}+/.{f.parts[1]}.{f.parts[2]}",
    "space inside": lambda f: f.good.replace(".", ". ", 1),
    "tab inside": lambda f: f.good.replace(".", ".\t", 1),
    "text after a space": lambda f: f"{f.good} x",
    "word before": lambda f: f"x {f.good}",
    "quoted": lambda f: f'"{f.good}"',
    "comma joined": lambda f: f"{f.good},{f.good}",
    "not ASCII": lambda f: "\u00e9" + f.good,
    "huge header": lambda f: f.by_attacker({**f.header, "pad": "x" * 20_000}),
    "huge payload": lambda f: f.by_attacker(f.header, {**f.claims, "pad": "x" * 30_000}),
    "huge word": lambda _: "x" * 50_000,
    "scheme as part of the token": lambda f: f"Bearer {f.good}",
}

_MALFORMED: dict[str, Make] = {
    "null byte": lambda f: f.good.encode() + b"\0",
    "bare carriage return": lambda f: f.good.encode() + b"\rx",
    "delete character": lambda f: f.good.encode() + b"\x7f",
    "larger than any header may be": lambda _: b"x" * 200_000,
}


def _header(name: str, value: t.Callable[[Forge], str]) -> Present:
    return lambda forge: Presented([(name.encode(), value(forge).encode())])


_CARRIER: dict[str, Present] = {
    "no scheme": _header("authorization", lambda f: f.good),
    "scheme Basic": _header("authorization", lambda f: f"Basic {f.good}"),
    "scheme Token": _header("authorization", lambda f: f"Token {f.good}"),
    "scheme with a colon": _header("authorization", lambda f: f"Bearer: {f.good}"),
    "scheme glued to the token": _header("authorization", lambda f: f"Bearer{f.good}"),
    "scheme alone": _header("authorization", lambda _: "Bearer"),
    "scheme JWT": _header("authorization", lambda f: f"JWT {f.good}"),
    "empty header": _header("authorization", lambda _: ""),
    "proxy-authorization": _header("proxy-authorization", lambda f: f"Bearer {f.good}"),
    "x-forwarded-authorization": _header("x-forwarded-authorization", lambda f: f"Bearer {f.good}"),
    "x-forwarded-access-token": _header("x-forwarded-access-token", lambda f: f.good),
    "x-auth-token": _header("x-auth-token", lambda f: f.good),
    "x-access-token": _header("x-access-token", lambda f: f.good),
    "x-jwt-payload": _header("x-jwt-payload", lambda f: f.parts[1]),
    "x-jwt-assertion": _header("x-jwt-assertion", lambda f: f.good),
    "api-key": _header("api-key", lambda f: f.good),
    "cookie": _header("cookie", lambda f: f"access_token={f.good}; token={f.good}"),
    "header of another name": _header("authorization2", lambda f: f"Bearer {f.good}"),
    "query access_token": lambda f: Presented([], b"?access_token=" + f.good.encode()),
    "query token": lambda f: Presented([], b"?token=" + f.good.encode()),
    "query authorization": lambda f: Presented([], b"?authorization=Bearer%20" + f.good.encode()),
    "query x-api-key": lambda f: Presented([], b"?x-api-key=" + f.good.encode()),
    "good, then wrong": lambda f: Presented([authorization(f.good), authorization("wrong")]),
    "wrong, then good": lambda f: Presented([authorization("wrong"), authorization(f.good)]),
    "good twice": lambda f: Presented([authorization(f.good), authorization(f.good)]),
    "good and a wrong x-api-key": lambda f: Presented(
        [authorization(f.good), (b"x-api-key", b"wrong")]
    ),
    "wrong and a good x-api-key": lambda f: Presented(
        [authorization("wrong"), (b"x-api-key", f.good.encode())]
    ),
    "good, and by an attacker": lambda f: Presented(
        [authorization(f.good), authorization(f.by_attacker(f.header))]
    ),
}

# What anybody can send. 401 is the answer, or 400 and 431 where the request itself is malformed.
ROWS: dict[str, Present] = {
    **{name: _bearer(make) for name, make in (_ALGORITHM | _KEY | _SIGNATURE | _FORM).items()},
    **{name: _bearer(make) for name, make in _MALFORMED.items()},
    **_CARRIER,
}
MALFORMED = frozenset(_MALFORMED)


def _claims(**changed: object) -> Make:
    """Signed by the issuer, with claims changed; a claim of the value `...` is left out."""

    def make(forge: Forge) -> str:
        claims = {**forge.claims, **changed}
        return forge.by_issuer({k: v for k, v in claims.items() if v is not ...})

    return make


def _relative(claim: str, seconds: int) -> Make:
    return lambda forge: _claims(**{claim: forge.now + seconds})(forge)


def _text_claims(change: t.Callable[[str], str]) -> Make:
    """Signed by the issuer, over a payload changed as text."""

    def make(forge: Forge) -> str:
        return forge.by_issuer(change(unb64(forge.parts[1]).decode()))

    return make


def _confused(forge: Forge) -> str:
    return forge.by_secret(forge.public_pem())


# What only a holder of the issuer's key could send: time, issuer, audience and tenant are still checked.
ISSUER_ROWS: dict[str, Make] = {
    "HS256 with the public key": _confused,
    "HS256 with the public key, no line end": lambda f: f.by_secret(f.public_pem().strip()),
    "expired an hour ago": _relative("exp", -3600),
    "expired two minutes ago": _relative("exp", -120),
    "exp 1": _claims(exp=1),
    "exp 0": _claims(exp=0),
    "exp negative": _claims(exp=-1),
    "exp missing": _claims(exp=...),
    "exp null": _claims(exp=None),
    "exp text": _claims(exp="tomorrow"),
    "exp list": _claims(exp=[9_999_999_999]),
    "exp true": _claims(exp=True),
    "nbf in an hour": _relative("nbf", 3600),
    "nbf in ten minutes": _relative("nbf", 600),
    "nbf text": _claims(nbf="yesterday"),
    "iss missing": _claims(iss=...),
    "iss other": _claims(iss="https://attacker.invalid"),
    "iss empty": _claims(iss=""),
    "iss with a slash more": lambda f: _claims(iss=f"{f.claims['iss']}/")(f),
    "iss list": lambda f: _claims(iss=[f.claims["iss"]])(f),
    "iss upper case": lambda f: _claims(iss=str(f.claims["iss"]).upper())(f),
    "aud missing": _claims(aud=...),
    "aud other": _claims(aud="another-platform"),
    "aud empty": _claims(aud=""),
    "aud empty list": _claims(aud=[]),
    "aud number": _claims(aud=1),
    "aud as a prefix": lambda f: _claims(aud=_first(f.claims["aud"]) + "-x")(f),
    "tenant missing": _claims(tenant=...),
    "tenant unknown": _claims(tenant="nobody"),
    "tenant empty": _claims(tenant=""),
    "tenant null": _claims(tenant=None),
    "tenant number": _claims(tenant=1),
    "tenant star": _claims(tenant="*"),
    "tenant expression": _claims(tenant=".*"),
    "tenant list": lambda f: _claims(tenant=[f.claims["tenant"]])(f),
    "tenant object": lambda f: _claims(tenant={"name": f.claims["tenant"]})(f),
    "tenant upper case": lambda f: _claims(tenant=str(f.claims["tenant"]).upper())(f),
    "tenant with a space": lambda f: _claims(tenant=f"{f.claims['tenant']} ")(f),
    "tenant with a line end": lambda f: _claims(tenant=f"{f.claims['tenant']}\n")(f),
    "two tenants in one": lambda f: _claims(tenant=f"{f.claims['tenant']},tenant-b")(f),
    "key id of another key": lambda f: f.by_issuer(f.claims, {**f.header, "kid": "other"}),
    "critical extension": lambda f: f.by_issuer(f.claims, {**f.header, "crit": ["x"], "x": 1}),
    "payload cut": _text_claims(lambda text: text[:-1]),
    "payload with text after it": _text_claims(lambda text: f"{text}x"),
}

# Unusual, and right: refusing these would break honest callers.
ISSUER_CONTROLS: dict[str, Make] = {
    "unchanged claims": _claims(),
    "one hour left": _relative("exp", 3600),
    "nbf in the past": _relative("nbf", -3600),
    "aud list with the right one": lambda f: _claims(aud=["x", _first(f.claims["aud"])])(f),
    "unknown claims": _claims(email="a@example.com", groups=["x", "y"], nested={"a": [1]}),
    "no typ in the header": lambda f: f.by_issuer(f.claims, _without(f.header, "typ")),
    "spaces in the JSON": _text_claims(lambda text: text.replace(":", " : ", 1)),
}


def _first(audience: str | list[str]) -> str:
    return audience if isinstance(audience, str) else audience[0]
