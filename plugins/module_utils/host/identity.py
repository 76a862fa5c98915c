# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's own issuers: signing keys, tokens, and API keys that are signed credentials too.

There are two, `builtin` for tokens and `keys` for API keys, each a directory below the platform's `identity/`:

    issuer.json     which key signs, which comes next, and the public halves of those that are retired, mode 0600
    <kid>.pem       a private key, mode 0600; a retired one is gone
    jwks.json       the public halves, what a verifier reads
    keys.json       the API keys, without anything that could be used as one, mode 0600 (only in `keys`)
    .lock           held while one of the others is replaced

An API key is a token of the issuer of keys; what is kept of it is its id and a digest, so that a stolen keys.json
opens nothing. Only keys listed as active are accepted, which is what makes them revocable at once.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import secrets
import time
import typing as t
from dataclasses import asdict, dataclass, replace

from ..errors import IdentityError
from .files import replace_file

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

Json = dict[str, t.Any]

ALGORITHM = "ES256"  # P-256 and SHA-256: RFC 7518 section 3.4
DEFAULT_KEY_SECONDS = 365 * 24 * 3600
# A token cannot be revoked, and its signing key must be kept for as long.
LONGEST_TOKEN_SECONDS = 30 * 24 * 3600
_DAY_SECONDS = 24 * 3600
_PROOF_SECONDS = 300
_CLOCK_SKEW_SECONDS = 5  # a verifier whose clock is a little behind accepts a fresh token
_COORDINATE_BYTES = 32  # of P-256: RFC 7518 section 6.2.1.2


@dataclass(frozen=True)
class KeyRecord:
    """What is kept of an API key.

    Attributes:
        id: The `jti` of the credential.
        tenant: Its owner.
        name: What its owner calls it; unique among the tenant's active keys.
        created: Unix time in seconds.
        expires: Unix time in seconds.
        revoked: Unix time in seconds, or None while it is not.
        requests_per_minute: Its own limit, or None for the tenant's alone.
        fingerprint: SHA-256 of the key, hexadecimal.
    """

    id: str
    tenant: str
    name: str
    created: int
    expires: int
    revoked: int | None
    requests_per_minute: int | None
    fingerprint: str

    def active(self, now: float | None = None) -> bool:
        """Whether it is accepted at a Unix time, by default now."""
        return self.revoked is None and self.expires > (time.time() if now is None else now)

    def public(self) -> Json:
        """What a gateway and a list may show: everything but the fingerprint."""
        return {name: value for name, value in asdict(self).items() if name != "fingerprint"}


BUILTIN = "builtin"
KEYS = "keys"


@dataclass(frozen=True)
class _Issuer:
    """Content of issuer.json.

    Attributes:
        current: Id of the key that signs.
        next: Id of the key that will; published, and signing nothing yet.
        retired: Keys that signed before: {"jwk": public half, "until": Unix time until which it is accepted}.
    """

    current: str
    next: str | None = None
    retired: tuple[Json, ...] = ()

    def still_accepted(self) -> _Issuer:
        """The same without retired keys whose time has passed."""
        now = time.time()
        return replace(self, retired=tuple(one for one in self.retired if one["until"] > now))

    def kept(self) -> Json:
        """What is written."""
        return {"kids": [self.current], "next": self.next, "retired": list(self.retired)}


def ensure_issuers(directory: str, *, check: bool = False) -> bool:
    """Make both issuers of a platform unless they are there, and forget retired keys whose tokens have all ended.

    Args:
        directory: The platform's `identity/`.
        check: Only tell.

    Returns:
        Whether something was, or would be, made or forgotten.

    Raises:
        IdentityError: What is there is damaged.
    """
    paths = [os.path.join(directory, name) for name in (BUILTIN, KEYS)]
    changed = False
    for path in paths:
        if not issuer_exists(path):
            changed = True
            if not check:
                create_issuer(path)
        elif _published(path) != _key_set(path, _issuer(path).still_accepted()):
            changed = True
            if not check:
                with _locked(path):
                    _install(path, _issuer(path).still_accepted())
    return changed


def issuer_exists(directory: str) -> bool:
    """Whether an issuer with at least one signing key lies in the directory."""
    return os.path.exists(os.path.join(directory, "issuer.json"))


def create_issuer(directory: str) -> bool:
    """Make an issuer unless there is one.

    Returns:
        Whether it was made.
    """
    if issuer_exists(directory):
        return False
    os.makedirs(directory, mode=0o755, exist_ok=True)
    with _locked(directory):
        if issuer_exists(directory):
            return False
        _install(directory, _Issuer(_new_key(directory)))
    return True


def announce_key(directory: str) -> str:
    """Publish the key that will sign next. What it signs is accepted once verifiers have read the new key set.

    Args:
        directory: The issuer's own, such as `identity/builtin`.

    Returns:
        The key's id; the same one until `rotate`.

    Raises:
        IdentityError: There is no issuer, or it is damaged.
    """
    with _locked(directory):
        issuer = _issuer(directory)
        issuer = replace(issuer, next=issuer.next or _new_key(directory))
        _install(directory, issuer)
    return t.cast("str", issuer.next)


def rotate(directory: str, *, overlap_seconds: int) -> str:
    """Sign with the announced key from now on; the private half of the one before is destroyed.

    Args:
        directory: The issuer's own, such as `identity/builtin`.
        overlap_seconds: How long what the key before has signed is still accepted.

    Returns:
        The id of the key that signs now.

    Raises:
        IdentityError: No key was announced, or the issuer is damaged.
    """
    with _locked(directory):
        issuer = _issuer(directory)
        if issuer.next is None:
            raise _not_announced()
        old = {"jwk": _public_jwk(_load_key(directory, issuer.current))}
        retired = [{**old, "until": int(time.time()) + overlap_seconds}, *issuer.retired]
        if overlap_seconds <= 0:
            retired = []
        _install(directory, _Issuer(issuer.next, None, tuple(retired)).still_accepted())
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_pem(directory, issuer.current))
    return issuer.next


def signing_keys(directory: str) -> list[Json]:
    """The keys whose tokens are accepted, the signing one first.

    Args:
        directory: The issuer's own, such as `identity/builtin`.

    Returns:
        Rows of id, state (`signing`, `announced`, `retired`) and until: Unix time, None without an end.
    """
    issuer = _issuer(directory).still_accepted()
    rows: list[Json] = [{"id": issuer.current, "state": "signing", "until": None}]
    if issuer.next:
        rows.append({"id": issuer.next, "state": "announced", "until": None})
    return rows + [
        {"id": one["jwk"]["kid"], "state": "retired", "until": one["until"]}
        for one in issuer.retired
    ]


def jwks(directory: str) -> Json:
    """The public keys of the issuer in a directory, as a JSON Web Key Set.

    Raises:
        IdentityError: There is no issuer.
    """
    return _read_json(os.path.join(directory, "jwks.json"))


def key_sets(directory: str, files: t.Mapping[str, str]) -> dict[str, Json]:
    """The public keys of both issuers of a platform and of other issuers.

    Args:
        directory: The platform's `identity/`. An issuer that does not exist yet has an empty set.
        files: JWKS file by name of the other issuers.

    Raises:
        IdentityError: A file cannot be read, is no key set, or holds a private key or none that can be used.
    """
    places = {name: os.path.join(directory, name) for name in (BUILTIN, KEYS)}
    own: dict[str, Json] = {
        name: jwks(place) if issuer_exists(place) else {"keys": []}
        for name, place in places.items()
    }
    return {**own, **{name: _foreign_jwks(path) for name, path in files.items()}}


def _foreign_jwks(path: str) -> Json:
    try:
        with open(path, encoding="utf-8") as file:
            document = t.cast("Json", json.load(file))
        keys = [dict(key) for key in document["keys"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IdentityError(
            f"{path} cannot be read as a JSON Web Key Set: {error}",
            hint="It holds an object with a list named keys.",
        ) from error
    if any({"d", "k"} & key.keys() for key in keys):
        raise IdentityError(f"{path} holds a private key", hint="Give the public key set only.")
    if not any(_verifies(key) for key in keys):
        # A gateway would only note it in its log, and refuse every token of this issuer.
        raise IdentityError(
            f"{path} holds no key that verifies signatures",
            hint="Its keys are of type RSA, EC (P-256, P-384, P-521) or OKP (Ed25519).",
        )
    return {"keys": keys}


def _verifies(key: Json) -> bool:
    import jwt

    try:
        curve = getattr(jwt.PyJWK(key).key, "curve", None)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return key.get("use", "sig") == "sig" and getattr(curve, "name", "") != "secp256k1"


def authorities(files: t.Mapping[str, str]) -> dict[str, str]:
    """What vouches for the hosts of other issuers: PEM by name of the issuer.

    Tier 1 gets the content, because its user need not be able to read the files.

    Args:
        files: Path by name of the issuer.

    Raises:
        IdentityError: A file cannot be read or holds a private key.
    """
    return {name: _certificates(path) for name, path in files.items()}


def _certificates(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise IdentityError(
            f"{path} cannot be read as certificates: {error}", hint="It holds them as PEM."
        ) from error
    if "PRIVATE KEY" in text:
        raise IdentityError(f"{path} holds a private key", hint="Give the certificates only.")
    return text


def mint_token(
    directory: str,
    tenant: str,
    subject: str,
    audience: str,
    issuer: str,
    lifetime_seconds: int,
    *,
    token_id: str | None = None,
    signer: str = BUILTIN,
) -> str:
    """Sign a token for a member of a tenant.

    Args:
        directory: The platform's `identity/`.
        tenant: Claim `tenant`.
        subject: Claim `sub`.
        audience: Claim `aud`.
        issuer: Claim `iss`.
        lifetime_seconds: From now to `exp`; more than 0, and for tokens at most `LONGEST_TOKEN_SECONDS`.
        token_id: Claim `jti`; random by default.
        signer: Which of the two issuers signs.

    Returns:
        A JWT in compact form.

    Raises:
        IdentityError: The issuer is missing or not readable by this user, or the lifetime is not allowed.
    """
    if lifetime_seconds <= 0:
        raise IdentityError(f"a token's lifetime is more than 0 seconds, not {lifetime_seconds}")
    if signer == BUILTIN and lifetime_seconds > LONGEST_TOKEN_SECONDS:
        raise IdentityError(
            f"a token lives for {LONGEST_TOKEN_SECONDS // _DAY_SECONDS} days at most",
            hint="It cannot be revoked; for longer use an API key (`inferencebox key create`).",
        )
    place = os.path.join(directory, signer)
    claims = _claims(tenant, subject, audience, issuer, lifetime_seconds)
    claims |= {"jti": token_id} if token_id else {}
    kid = _issuer(place).current
    while True:
        try:
            return _sign(place, kid, claims)
        except IdentityError:
            # Retired between the two looks, and so gone: the next one signs.
            if (current := _issuer(place).current) == kid:
                raise
            kid = current


def announced_token(directory: str, tenant: str, subject: str, audience: str, issuer: str) -> str:
    """Sign a token of a few minutes by the announced key: it is accepted once a verifier knows that key.

    Args:
        directory: The platform's `identity/`.
        tenant: Claim `tenant`.
        subject: Claim `sub`.
        audience: Claim `aud`.
        issuer: Claim `iss`.

    Raises:
        IdentityError: No key was announced, or the issuer is damaged.
    """
    place = os.path.join(directory, BUILTIN)
    kid = _issuer(place).next
    if kid is None:
        raise _not_announced()
    return _sign(place, kid, _claims(tenant, subject, audience, issuer, _PROOF_SECONDS))


def _not_announced() -> IdentityError:
    return IdentityError("no key was announced", hint="A verifier must know it first.")


def _claims(tenant: str, subject: str, audience: str, issuer: str, lifetime_seconds: int) -> Json:
    now = int(time.time())
    return {
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "tenant": tenant,
        "iat": now,
        "nbf": now - _CLOCK_SKEW_SECONDS,
        "exp": now + lifetime_seconds,
        "jti": secrets.token_urlsafe(16),
    }


def _sign(place: str, kid: str, claims: Json) -> str:
    import jwt

    with _readable(), open(_pem(place, kid), encoding="ascii") as file:
        key = file.read()
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


def create_key(
    directory: str,
    tenant: str,
    name: str,
    *,
    audience: str,
    issuer: str,
    expires: int | datetime.datetime | None = None,
    requests_per_minute: int | None = None,
) -> tuple[KeyRecord, str]:
    """Make an API key.

    Args:
        directory: The platform's `identity/`.
        tenant: Its owner.
        name: A name for people, which no other active key of the tenant has.
        audience: Claim `aud` that the gateway asks for.
        issuer: Claim `iss` that the gateway asks for.
        expires: Unix time in seconds or an aware datetime; None: in a year.
        requests_per_minute: Its own limit.

    Returns:
        The record that is kept and the key, which is shown here and never again.

    Raises:
        IdentityError: The name is taken, the expiry is past or the limit is not positive.
    """
    now = int(time.time())
    end = _unix(expires) if expires is not None else now + DEFAULT_KEY_SECONDS
    if end <= now:
        raise IdentityError("the key would have expired already", hint="Give a later expiry.")
    if requests_per_minute is not None and requests_per_minute < 1:
        raise IdentityError(f"requests per minute are at least 1, not {requests_per_minute}")
    with _locked(os.path.join(directory, KEYS)):
        records = list_keys(directory)
        if any(one.name == name and one.tenant == tenant and one.active() for one in records):
            raise IdentityError(
                f"{tenant} has an active key named {name!r}",
                hint="Take another name, or revoke it.",
            )
        key_id = secrets.token_hex(16)
        key = mint_token(
            directory,
            tenant,
            f"key:{name}",
            audience,
            issuer,
            end - now,
            token_id=key_id,
            signer=KEYS,
        )
        digest = hashlib.sha256(key.encode()).hexdigest()
        record = KeyRecord(key_id, tenant, name, now, end, None, requests_per_minute, digest)
        _write_keys(directory, [*records, record])
    return record, key


def list_keys(directory: str, tenant: str | None = None) -> list[KeyRecord]:
    """Records of all keys, revoked and expired ones too, oldest first; of one tenant when given."""
    path = os.path.join(directory, KEYS, "keys.json")
    if not os.path.exists(path):
        return []
    try:
        records = [KeyRecord(**one) for one in _read_json(path)["keys"]]
    except (KeyError, TypeError) as error:
        raise _damaged(path) from error
    return [one for one in records if tenant in (None, one.tenant)]


def active_keys(directory: str, tenant: str | None = None) -> list[KeyRecord]:
    """Records of the keys that are accepted now."""
    return [one for one in list_keys(directory, tenant) if one.active()]


def revoke_key(directory: str, key: str, tenant: str | None = None) -> KeyRecord:
    """Revoke a key; revoking it again changes nothing.

    Args:
        directory: The platform's `identity/`.
        key: Its id, or the name of an active key.
        tenant: Look among this tenant's keys only.

    Raises:
        IdentityError: No key, or more than one, is meant.
    """
    with _locked(os.path.join(directory, KEYS)):
        records = list_keys(directory)
        mine = [one for one in records if tenant in (None, one.tenant)]
        meant = [one for one in mine if one.id == key] or [
            one for one in mine if one.name == key and one.active()
        ]
        if not meant:
            raise IdentityError(
                f"there is no active key {key!r}", hint="`inferencebox key list` shows them."
            )
        if len(meant) > 1:
            owners = ", ".join(sorted(one.tenant for one in meant))
            raise IdentityError(
                f"several tenants have a key named {key!r}: {owners}", hint="Give its id."
            )
        if meant[0].revoked is not None:
            return meant[0]
        revoked = KeyRecord(**{**asdict(meant[0]), "revoked": int(time.time())})
        _write_keys(directory, [revoked if one.id == revoked.id else one for one in records])
    return revoked


def revoke_strangers(
    directory: str, tenants: t.Collection[str], *, check: bool = False
) -> list[KeyRecord]:
    """Revoke the active keys of everybody who is no tenant: they must not work again when the tenant comes back.

    Args:
        directory: The platform's `identity/`.
        tenants: Names of the tenants that there are.
        check: Only tell.

    Returns:
        The keys that were, or would be, revoked.
    """
    meant = [one for one in active_keys(directory) if one.tenant not in tenants]
    if not check:
        for one in meant:
            revoke_key(directory, one.id)
    return meant


def _new_key(directory: str) -> str:
    """Write a new private key; its id is its RFC 7638 thumbprint."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    kid = str(_public_jwk(key)["kid"])
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    replace_file(_pem(directory, kid), pem, 0o600)
    return kid


def _install(directory: str, issuer: _Issuer) -> None:
    """Publish the keys, then sign with the first: a verifier never meets a key that it could not know."""
    _write_json(os.path.join(directory, "jwks.json"), _key_set(directory, issuer), 0o644)
    _write_json(os.path.join(directory, "issuer.json"), issuer.kept(), 0o600)


def _key_set(directory: str, issuer: _Issuer) -> Json:
    own = [kid for kid in (issuer.current, issuer.next) if kid]
    keys = [_public_jwk(_load_key(directory, kid)) for kid in own]
    keys += [one["jwk"] for one in issuer.retired]
    # In an order that says nothing: which of them signs now is no change for a verifier.
    return {"keys": sorted(keys, key=lambda key: str(key["kid"]))}


def _published(directory: str) -> Json | None:
    """What verifiers read; None where it is missing or damaged, for it can be made again."""
    try:
        with open(os.path.join(directory, "jwks.json"), encoding="utf-8") as file:
            return t.cast("Json", json.load(file))
    except (OSError, ValueError):
        return None


def _load_key(directory: str, kid: str) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = _pem(directory, kid)
    try:
        with _readable(), open(path, "rb") as file:
            key = serialization.load_pem_private_key(file.read(), password=None)
    except ValueError as error:
        raise _damaged(path) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(f"{_pem(directory, kid)} is not an elliptic curve key")
    return key


def _public_jwk(key: EllipticCurvePrivateKey) -> Json:
    numbers = key.public_key().public_numbers()
    jwk = {
        "crv": "P-256",
        "kty": "EC",
        "x": _base64url(numbers.x.to_bytes(_COORDINATE_BYTES, "big")),
        "y": _base64url(numbers.y.to_bytes(_COORDINATE_BYTES, "big")),
    }
    # RFC 7638: exactly these members, in this order, without blanks.
    canonical = json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()
    thumbprint = _base64url(hashlib.sha256(canonical).digest())
    return {**jwk, "alg": ALGORITHM, "use": "sig", "kid": thumbprint}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _pem(directory: str, kid: str) -> str:
    return os.path.join(directory, f"{kid}.pem")


def _issuer(directory: str) -> _Issuer:
    path = os.path.join(directory, "issuer.json")
    content = _read_json(path)
    try:
        current, *_ = content["kids"]
        retired = tuple(
            {"jwk": dict(one["jwk"]), "until": int(one["until"])}
            for one in content.get("retired", ())
        )
        return _Issuer(str(current), content.get("next"), retired)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: str, what: str = "is damaged") -> IdentityError:
    issuer = os.path.dirname(path)
    lost = "every API key" if os.path.basename(issuer) == KEYS else "every token"
    return IdentityError(
        f"{path} {what}",
        hint=f"Bring it back from a backup, or remove {issuer}, which ends {lost}, and run `up`.",
    )


def _write_keys(directory: str, records: t.Sequence[KeyRecord]) -> None:
    content = {"keys": [asdict(record) for record in records]}
    _write_json(os.path.join(directory, KEYS, "keys.json"), content, 0o600)


def _write_json(path: str, content: Json, mode: int) -> None:
    replace_file(path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode(), mode)


def _read_json(path: str) -> Json:
    with _readable(), open(path, encoding="utf-8") as file:
        try:
            content = json.load(file)
        except ValueError as error:
            raise _damaged(path) from error
    if not isinstance(content, dict):
        raise _damaged(path)
    return content


def _unix(moment: int | datetime.datetime) -> int:
    return int(moment.timestamp()) if isinstance(moment, datetime.datetime) else moment


@contextlib.contextmanager
def _locked(directory: str) -> t.Iterator[None]:
    """Hold the issuer's lock: two commands at once never lose each other's change."""
    with _readable():
        handle = os.open(os.path.join(directory, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _readable() -> t.Iterator[None]:
    """Say what a missing or forbidden file means here."""
    try:
        yield
    except FileNotFoundError as error:
        raise IdentityError(
            f"there is no issuer here: {error.filename} is missing",
            hint="Install the platform first: `make up`.",
        ) from error
    except PermissionError as error:
        raise IdentityError(
            f"{error.filename} is not readable for this user",
            hint="Use the user who installed the platform.",
        ) from error
