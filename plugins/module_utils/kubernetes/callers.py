# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who vouches for callers: what no inventory holds, because it is made at install. No secret is among it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..inventory import Platform
from . import naming
from .gateway_names import ApiKey
from .objects import Maker, Object


@dataclass(frozen=True)
class Callers:
    """Public keys of issuers, and API keys that are valid now.

    Attributes:
        jwks: JSON Web Key Sets by name of the issuer, the platform's own among them.
        keys: API keys of the platform's tenants.
        authorities: Certificates, as PEM, that vouch for the hosts of issuers, by name of the issuer.
    """

    jwks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keys: tuple[ApiKey, ...] = ()
    authorities: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        platform: Platform,
        jwks: Mapping[str, Mapping[str, Any]],
        keys: Sequence[Mapping[str, Any]] = (),
        authorities: Mapping[str, str] | None = None,
    ) -> Callers:
        """Take what modules say; a key of a tenant that has left is valid no more.

        Args:
            platform: The platform.
            jwks: As the attribute.
            keys: Rows with id, tenant and, where a key has a limit of its own, requests_per_minute.
            authorities: As the attribute.
        """
        known = {tenant.name for tenant in platform.tenants}
        valid = tuple(
            ApiKey(row["id"], row["tenant"], row.get("requests_per_minute"))
            for row in keys
            if row["tenant"] in known
        )
        return cls(jwks, valid, authorities or {})

    def objects(self, platform: Platform) -> list[Object]:
        """Make the ConfigMaps that tier 1's policy refers to."""
        make = Maker(platform)
        contents = {
            naming.issuer_keys(name): {"jwks": json.dumps(found, sort_keys=True)}
            for name, found in self.jwks.items()
        }
        contents |= {
            naming.shortened(f"{naming.issuer_keys(name)}-ca"): {"ca.crt": pem}
            for name, pem in self.authorities.items()
        }
        return [
            make.namespaced("v1 ConfigMap", name, {"data": data}) for name, data in contents.items()
        ]
