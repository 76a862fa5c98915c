# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Issuers of tokens that are none of the platform's: their keys, their tokens, and servers that publish their keys."""

from __future__ import annotations

import contextlib
import json
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.tls import Authority, https_server

Json = dict[str, t.Any]
_LIFETIME_SECONDS = 900


@dataclass(frozen=True)
class SigningKey:
    """One key of an issuer.

    Attributes:
        id: Its `kid`.
        algorithm: What it signs with, unless something else is asked.
    """

    id: str
    algorithm: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @classmethod
    def new(cls, key_id: str, algorithm: str) -> SigningKey:
        """Make a key for RS256, ES256 or EdDSA."""
        match algorithm:
            case "RS256":
                return cls(key_id, algorithm, rsa.generate_private_key(65537, 2048))
            case "ES256":
                return cls(key_id, algorithm, ec.generate_private_key(ec.SECP256R1()))
            case _:
                return cls(key_id, algorithm, ed25519.Ed25519PrivateKey.generate())

    @property
    def public(self) -> Json:
        """The public half as a JWK. It names no algorithm, as those of many issuers: only the type of its key."""
        public = self.private.public_key()
        match public:
            case rsa.RSAPublicKey():
                made = RSAAlgorithm.to_jwk(public, as_dict=True)
            case ec.EllipticCurvePublicKey():
                made = ECAlgorithm.to_jwk(public, as_dict=True)
            case _:
                made = OKPAlgorithm.to_jwk(public, as_dict=True)
        return {
            **{name: made[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in made},
            "kid": self.id,
            "use": "sig",
        }


@dataclass
class ForeignIssuer:
    """An issuer as the platform's inventory names it.

    Attributes:
        name: Its name in the inventory.
        keys: Its keys; the first signs, all are published.
        audiences: What the platform accepts.
        claim: Where the tenant stands in its tokens; a dot leads into an object.
        settings: Further keys of its entry in the inventory.
    """

    name: str
    keys: list[SigningKey]
    audiences: tuple[str, ...] = ("inference",)
    claim: str = "tenant"
    settings: Json = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The `iss` of its tokens."""
        return f"https://{self.name}.issuers.example"

    @property
    def entry(self) -> Json:
        """Its entry in `platform_identity.issuers`."""
        return {
            "name": self.name,
            "issuer": self.url,
            "audiences": list(self.audiences),
            "tenant_claim": self.claim,
            **self.settings,
        }

    @property
    def jwks(self) -> bytes:
        """What it publishes."""
        return json.dumps({"keys": [key.public for key in self.keys]}).encode()

    def claims(self, tenant: str) -> Json:
        """The claims of a good token."""
        value: t.Any = tenant
        *outer, last = reversed(self.claim.split("."))
        for name in outer:
            value = {name: value}
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": self.audiences[0],
            "sub": "ada",
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
            last: value,
        }

    def token(self, tenant: str, key: SigningKey | None = None) -> str:
        """A good token, by default signed with the first key."""
        return self.sign(self.claims(tenant), key=key)

    def sign(
        self,
        claims: Json,
        *,
        key: SigningKey | None = None,
        algorithm: str | None = None,
        header: Json | None = None,
    ) -> str:
        """Sign any claims. A header replaces the one that names the key."""
        key = key or self.keys[0]
        return jwt.encode(
            claims,
            key.private,
            algorithm=algorithm or key.algorithm,
            headers={"kid": key.id} if header is None else header,
        )


class KeyServer:
    """A small HTTPS server that publishes an issuer's keys, and can be stopped and started at the same port.

    Args:
        authority: Who vouches for it.
        port: Where it listens.
        address: The address that it listens on.
        names: What its certificate says; the address where left out.
    """

    def __init__(
        self, authority: Authority, port: int, *names: str, address: str = "127.0.0.1"
    ) -> None:
        self.issuer: ForeignIssuer | None = None
        self._authority, self._port, self._names = authority, port, names
        self._address = address
        self._running = contextlib.ExitStack()

    def start(self) -> None:
        """Answer from now on."""
        server = https_server(
            self._authority, self._answer, *self._names, address=self._address, port=self._port
        )
        self._running.enter_context(server)

    def stop(self) -> None:
        """Listen no more."""
        self._running.close()

    def settings(self, host: str, ca_file: Path) -> Json:
        """Keys of the inventory by which the platform finds it."""
        return {"jwks_uri": f"https://{host}:{self._port}/keys", "ca_file": str(ca_file)}

    def _answer(self, path: str) -> tuple[int, bytes]:
        if self.issuer is None or path != "/keys":
            return 404, b"{}"
        return 200, self.issuer.jwks
