# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates by cert-manager: tier 1's own, and those of the hop between the tiers.

Two authorities, so that neither can stand in for the other: whoever trusts the edge trusts nothing inside,
and a certificate of the edge is no identity for the hop. A `standalone` tier 1 has its identity from the
mesh, and needs the edge's alone.

Where there is no cert-manager, the same Secrets may be made by other means: their names and keys
(``tls.crt``, ``tls.key``, ``ca.crt``) are what the other objects refer to.
"""

from __future__ import annotations

import ipaddress

from ..inventory import Platform
from . import naming
from .objects import Maker, Object

_API = "cert-manager.io/v1"

# Secrets that hold a certificate, its key and its authority.
EDGE = "tier1-server"
TIER1_HOP = "tier1-client"
TIER2_HOP = "tier2-server"

# Hours, as cert-manager writes durations: authorities ten years, leaves 90 days, renewed 30 days before.
_AUTHORITY_LIFE = "87600h"
_LEAF_LIFE = "2160h"
_RENEWED_BEFORE = "720h"


def objects(platform: Platform) -> list[Object]:
    """Make issuers and certificates in the platform's namespace."""
    make = Maker(platform)
    made = [
        make.namespaced(f"{_API} Issuer", "self-signed", {"spec": {"selfSigned": {}}}),
        *_authority(make, "edge"),
        _leaf(make, "edge", EDGE, usage="server auth", names=_edge_names(platform)),
    ]
    if platform.engine.gateway == "controller":
        identity = f"spiffe://{naming.tier_principal(platform, naming.TIER1)}"
        server = {"dnsNames": [naming.tier2_host(platform)]}
        made += [
            *_authority(make, "hop"),
            _leaf(make, "hop", TIER1_HOP, usage="client auth", names={"uris": [identity]}),
            _leaf(make, "hop", TIER2_HOP, usage="server auth", names=server),
        ]
    return made


def _edge_names(platform: Platform) -> Object:
    names: Object = {"dnsNames": [naming.gateway_host(platform)]}
    if not ipaddress.ip_address(platform.gateway.address).is_unspecified:
        names["ipAddresses"] = [platform.gateway.address]
    return names


def _authority(make: Maker, topic: str) -> list[Object]:
    name = f"{topic}-ca"
    spec = {
        "isCA": True,
        "commonName": f"{make.platform.name} {topic} authority",
        "secretName": name,
        "duration": _AUTHORITY_LIFE,
        "privateKey": _key(),
        "issuerRef": _issuer("self-signed"),
    }
    return [
        make.namespaced(f"{_API} Certificate", name, {"spec": spec}),
        make.namespaced(f"{_API} Issuer", name, {"spec": {"ca": {"secretName": name}}}),
    ]


def _leaf(make: Maker, topic: str, secret: str, *, usage: str, names: Object) -> Object:
    spec = {
        "secretName": secret,
        "duration": _LEAF_LIFE,
        "renewBefore": _RENEWED_BEFORE,
        "privateKey": _key(),
        "usages": ["digital signature", usage],
        **names,
        "issuerRef": _issuer(f"{topic}-ca"),
    }
    return make.namespaced(f"{_API} Certificate", secret, {"spec": spec})


def _key() -> Object:
    return {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}


def _issuer(name: str) -> Object:
    return {"group": "cert-manager.io", "kind": "Issuer", "name": name}
