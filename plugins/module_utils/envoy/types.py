# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the builders of both tiers are told. Durations are seconds, sizes bytes, limits requests per minute."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Json = dict[str, t.Any]

# Envoy fetches an issuer's keys this many seconds before the time for which they may be kept is over, and keeps them when
# it cannot (RefetchBeforeExpiredSec in its jwks_async_fetcher.cc).
JWKS_LEAD_SECONDS = 5.0


@dataclass(frozen=True)
class Issuer:
    """Who may vouch for a caller.

    Exactly one of `jwks` (the document itself) and `jwks_uri` is set. With the latter, `authority` holds the
    certificates (PEM) that vouch for its host, if the system's do not, and `jwks_refresh` says after how many seconds keys are fetched anew.
    `from_key_header` also accepts the credential in `x-api-key`: only the platform's own API keys do that.
    """

    name: str
    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    tenant_claim: str = "tenant"
    jwks: str | None = None
    jwks_uri: str | None = None
    authority: str | None = None
    jwks_refresh: float = 300.0
    from_key_header: bool = False


@dataclass(frozen=True)
class ApiKey:
    """An API key that is valid now. `id` is its `jti` claim; the key itself is never stored."""

    id: str
    tenant: str
    requests_per_minute: int | None = None


@dataclass(frozen=True)
class Model:
    """A model as the gateways see it. `host` is the name by which tier 1 asks tier 2 for it."""

    name: str
    owner: str
    version: str
    host: str
    apis: tuple[str, ...]
    request_timeout: float
    health_path: str
    keeps_connections: bool = True

    @property
    def cluster(self) -> str:
        """Name of the model's cluster, also its metric label: model|<owner>|<name>."""
        return f"model|{self.owner}|{self.name}"


@dataclass(frozen=True)
class Tenant:
    """A tenant and the models it may call."""

    name: str
    models: tuple[Model, ...]
    requests_per_minute: int | None = None


@dataclass(frozen=True)
class Certificate:
    """Files of one identity: PEM chain, PEM key, and the CA bundle it trusts."""

    certificate: str
    key: str
    ca: str


@dataclass(frozen=True)
class Tier1:
    """Everything tier 1 needs. `directory` holds bootstrap.json and xds/; `metrics_socket` shows its counters."""

    directory: str
    admin_socket: str
    metrics_socket: str
    address: str
    port: int
    max_request_bytes: int
    server: Certificate
    client: Certificate
    tier2_socket: str
    tier2_identity: str
    issuers: tuple[Issuer, ...]
    keys: tuple[ApiKey, ...]
    tenants: tuple[Tenant, ...]


@dataclass(frozen=True)
class Metrics:
    """Where tier 2 shows the counters of the whole platform, to whoever carries one of the SPIFFE ids `readers`."""

    address: str
    port: int
    readers: tuple[str, ...]
    tier1_socket: str


@dataclass(frozen=True)
class Replica:
    """A model server that answers: its socket, and a name that no other replica of its model has."""

    name: str
    socket: str


@dataclass(frozen=True)
class Tier2:
    """Everything tier 2 needs. `credentials` maps a model's cluster to the file with its credential."""

    directory: str
    admin_socket: str
    socket: str
    server: Certificate
    tier1_identity: str
    metrics: Metrics
    models: tuple[Model, ...]
    credentials: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EnvoyConfig:
    """A tier's configuration: the bootstrap, and the discovery files by name."""

    bootstrap: Json
    resources: dict[str, Json]
