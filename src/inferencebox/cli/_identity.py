# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identities of the platform's own issuers: where they are kept and how a token is made."""

from __future__ import annotations

from ._home import Home

# Who stands in access logs when nobody else is named.
OPERATOR = "operator"


def mint(place: Home, tenant: str, user: str = OPERATOR, *, lifetime_seconds: int) -> str:
    """Sign a token of a tenant.

    Args:
        place: The platform.
        tenant: Tenant for which it speaks.
        user: Who uses it.
        lifetime_seconds: How long it is valid.

    Raises:
        CommandError: There is no such tenant.
        PlatformError: This user may not read the issuer's key.
    """
    # Signing imports cryptography, which most commands do without.
    from ansible_collections.inferencebox.platform.plugins.module_utils.host.identity import (
        mint_token,
    )

    place.tenant(tenant)
    return mint_token(
        identity_directory(place), tenant, user, place.base_url, place.base_url, lifetime_seconds
    )


def identity_directory(place: Home) -> str:
    """Where both issuers of a platform lie: the one of tokens and the one of API keys."""
    return str(place.path / "identity")


def issuer_name_of_keys(place: Home) -> str:
    """Claim `iss` of API keys, as tier 1 asks for it."""
    return f"{place.base_url}/keys"
