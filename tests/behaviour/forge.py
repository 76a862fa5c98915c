# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes tokens that no issuer would: for the attack table."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

Claims = dict[str, t.Any]
# Order of the group of P-256 (SEC 2, section 2.4.2): r and s of a signature must lie below it.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_BYTES = 32


def b64(data: bytes | str) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw_signature(r: int, s: int) -> bytes:
    """A P-256 signature as JWS wants it: r and s, 32 bytes each (RFC 7518, section 3.4)."""
    return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")


def es256(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Signs as ES256 does."""
    return raw_signature(*decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256()))))


@dataclass(frozen=True, slots=True)
class Forge:
    """One good token taken apart, an attacker's own keys, and the platform's key where a test may read it."""

    good: str
    issuer_key: ec.EllipticCurvePrivateKey | None
    attacker: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def parts(self) -> tuple[str, str, str]:
        """Header, payload and signature of the good token, encoded."""
        header, payload, signature = self.good.split(".")
        return header, payload, signature

    @property
    def header(self) -> Claims:
        """A copy of the good token's header."""
        return t.cast("Claims", json.loads(unb64(self.parts[0])))

    @property
    def claims(self) -> Claims:
        """A copy of the good token's claims."""
        return t.cast("Claims", json.loads(unb64(self.parts[1])))

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    def unsigned(self, header: Claims | str, claims: Claims | str | None = None) -> str:
        """Header and payload, encoded and joined: what a signature is made over."""
        head = header if isinstance(header, str) else json.dumps(header)
        body = self.claims if claims is None else claims
        body = body if isinstance(body, str) else json.dumps(body)
        return f"{b64(head)}.{b64(body)}"

    def by_attacker(self, header: Claims | str, claims: Claims | str | None = None) -> str:
        """A token signed well, but with the attacker's own P-256 key."""
        signed = self.unsigned(header, claims)
        return f"{signed}.{b64(es256(self.attacker, signed.encode()))}"

    def by_issuer(self, claims: Claims | str, header: Claims | str | None = None) -> str:
        """A token signed with the platform's own key, as only its issuer could."""
        assert self.issuer_key is not None
        signed = self.unsigned(self.header if header is None else header, claims)
        return f"{signed}.{b64(es256(self.issuer_key, signed.encode()))}"

    def by_secret(self, secret: bytes, algorithm: str = "HS256") -> str:
        """A token whose 'signature' is an HMAC with something that is not secret."""
        signed = self.unsigned({**self.header, "alg": algorithm})
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[
            algorithm
        ]
        return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"

    def by_other_algorithm(self, algorithm: str) -> str:
        """A token signed well by an attacker's key of another kind."""
        signed = self.unsigned({**self.header, "alg": algorithm})
        message = signed.encode()
        match algorithm:
            case "RS256":
                rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
                signature = rsa_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
            case "PS256":
                rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
                pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
                signature = rsa_key.sign(message, pss, hashes.SHA256())
            case "EdDSA":
                signature = ed25519.Ed25519PrivateKey.generate().sign(message)
            case "ES384":
                der = ec.generate_private_key(ec.SECP384R1()).sign(
                    message, ec.ECDSA(hashes.SHA384())
                )
                r, s = decode_dss_signature(der)
                signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
            case _:
                raise ValueError(algorithm)
        return f"{signed}.{b64(signature)}"

    @property
    def attacker_jwk(self) -> Claims:
        """The attacker's public key, under the good token's key id."""
        point = self.attacker.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "kid": self.header.get("kid", ""),
            "x": b64(point.x.to_bytes(_P256_BYTES, "big")),
            "y": b64(point.y.to_bytes(_P256_BYTES, "big")),
        }

    def public_pem(self) -> bytes:
        """The platform's public key as PEM: what the classic confusion of HS256 and ES256 signs with."""
        assert self.issuer_key is not None
        return self.issuer_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def find_issuer_key(directory: Path, good: str) -> ec.EllipticCurvePrivateKey | None:
    """The key that signed a good token.

    Args:
        directory: The platform's directory `identity`.
        good: A token that the platform made.

    Returns:
        The key, or None where none that this user may read made this token.
    """
    signed, _, signature = good.rpartition(".")
    for file in sorted(directory.rglob("*")):
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except (OSError, ValueError):
            continue
        if isinstance(key, ec.EllipticCurvePrivateKey) and _made(key, signed, signature):
            return key
    return None


def _made(key: ec.EllipticCurvePrivateKey, signed: str, signature: str) -> bool:
    raw = unb64(signature)
    der = encode_dss_signature(
        int.from_bytes(raw[:_P256_BYTES], "big"), int.from_bytes(raw[_P256_BYTES:], "big")
    )
    try:
        key.public_key().verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
