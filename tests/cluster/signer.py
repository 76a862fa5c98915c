# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Issuers of tokens, as tier 1 knows them by their public keys."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec


class Signer:
    """An issuer of tokens."""

    def __init__(self, issuer: str, audience: str, tenant_claim: str) -> None:
        self.issuer, self.audience, self.tenant_claim = issuer, audience, tenant_claim
        self.key = ec.generate_private_key(ec.SECP256R1())

    def token(self, tenant: str, **claims: Any) -> str:
        """Sign a token; a claim of None is left out."""
        now = int(time.time())
        body = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "someone",
            self.tenant_claim: tenant,
            "exp": now + 3600,
            **claims,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(body, self.key, "ES256", headers={"kid": self.issuer})

    def key_set(self) -> str:
        """Its public keys, as a JSON Web Key Set."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return json.dumps({"keys": [{**public, "kid": self.issuer, "alg": "ES256", "use": "sig"}]})
