# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small platform as both tiers' builders see it, for tests and golden files."""

from __future__ import annotations

from ansible_collections.inferencebox.platform.plugins.module_utils.envoy.types import (
    ApiKey,
    Certificate,
    Issuer,
    Metrics,
    Model,
    Tenant,
    Tier1,
    Tier2,
)

DOMAIN = "inference.localhost"
BASE = f"https://gateway.{DOMAIN}:8443"
JWKS = (
    '{"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one",'
    ' "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
    ' "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}'
)


def model(name: str, owner: str, *apis: str, timeout: float = 60.0) -> Model:
    """A model whose server is found at the usual host."""
    host, llm = f"{name}.{owner}.{DOMAIN}", "chat" in apis
    health = "/health" if llm else f"/v2/models/{name}/ready"
    return Model(name, owner, "1", host, apis, timeout, health, keeps_connections=not llm)


IRIS = model("iris", "tenant-a", "v1", "v2")
CHAT = model("smollm2", "tenant-c", "chat", "messages", timeout=300.0)


def certificate(home: str, tier: str, name: str) -> Certificate:
    """Files of an identity below a platform's home."""
    path = f"{home}/pki/{tier}/{name}"
    return Certificate(f"{path}.crt", f"{path}.key", f"{home}/pki/ca.crt")


def tier1_input(home: str = "/home", *issuers: Issuer) -> Tier1:
    """Two tenants, one shared model, one API key with a limit of its own."""
    builtin = Issuer("builtin", BASE, (BASE,), ("ES256",), jwks=JWKS)
    keys = Issuer("keys", f"{BASE}/keys", (BASE,), ("ES256",), jwks=JWKS, from_key_header=True)
    return Tier1(
        directory=f"{home}/tier1",
        admin_socket=f"{home}/run/tier1/admin.sock",
        metrics_socket=f"{home}/run/tier1/metrics.sock",
        address="127.0.0.1",
        port=8443,
        max_request_bytes=1_048_576,
        server=certificate(home, "tier1", "server"),
        client=certificate(home, "tier1", "client"),
        tier2_socket=f"{home}/run/tier2/gateway.sock",
        tier2_identity=f"spiffe://{DOMAIN}/ns/platform/sa/tier2",
        issuers=(builtin, *issuers, keys),
        keys=(ApiKey("key-1", "tenant-a", 3),),
        tenants=(Tenant("tenant-a", (IRIS, CHAT), 600), Tenant("tenant-c", (CHAT,))),
    )


def tier2_input(home: str = "/home") -> Tier2:
    """Both models behind tier 2."""
    return Tier2(
        directory=f"{home}/tier2",
        admin_socket=f"{home}/run/tier2/admin.sock",
        socket=f"{home}/run/tier2/gateway.sock",
        server=certificate(home, "tier2", "server"),
        tier1_identity=f"spiffe://{DOMAIN}/ns/platform/sa/tier1",
        metrics=Metrics(
            "127.0.0.1",
            9444,
            (f"spiffe://{DOMAIN}/ns/platform/sa/metrics",),
            f"{home}/run/tier1/metrics.sock",
        ),
        models=(IRIS, CHAT),
        credentials={m.cluster: f"{home}/tier2/credentials/{m.name}" for m in (IRIS, CHAT)},
    )
