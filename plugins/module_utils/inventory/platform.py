# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform as a whole: its settings, tenants and models."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, Strict, WithJsonSchema

from ._types import (
    AbsolutePath,
    Address,
    Certificates,
    Domain,
    Duration,
    Flag,
    Image,
    Name,
    Network,
    ObjectName,
    PlatformName,
    Port,
    Positive32,
    Registry,
    Section,
    Text,
)
from .models import Model
from .providers import Provider, ProviderModel
from .tenants import Tenant

Target = Literal["local", "kubernetes"]
Train = Literal["2026.11"]

# The issuer that signs with a key made at install.
BUILTIN_ISSUER = "builtin"

# RFC 7518, section 3.1, and RFC 8037, section 3.1: those whose keys may be published. With HS256 and its like, whoever
# can verify a token can make one.
Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

Url = Annotated[str, Strict(), WithJsonSchema({"type": "string", "x-expects": "URL"})]


class Gateway(Section):
    """The edge that callers see."""

    address: Address = Field(default="127.0.0.1", description="Address it listens on.")
    https_port: Port = Field(default=8443, description="Port it listens on.")
    max_request_bytes: Positive32 = Field(
        default=8388608, description="Longest request body in bytes; beyond, 413."
    )


class Issuer(Section):
    """One issuer of tokens; the one named `builtin` signs with a key made at install."""

    name: Name = Field(description="A name for logs; `builtin` for the platform's own.")
    issuer: Text | None = Field(
        default=None, description="Value of the tokens' `iss` claim. Required unless `builtin`."
    )
    jwks_uri: Url | None = Field(
        default=None, description="Where its public keys are fetched. This or `jwks_file`."
    )
    jwks_file: AbsolutePath | None = Field(
        default=None,
        description="File that holds its public keys, read in each run. This or `jwks_uri`.",
    )
    ca_file: AbsolutePath | None = Field(
        default=None,
        description="Certificates that vouch for the host of `jwks_uri`, read in each run; the system's if left out.",
    )
    jwks_refresh_seconds: Duration = Field(
        default=300.0,
        alias="jwks_refresh",
        description="How often keys of `jwks_uri` are fetched, and so how soon a new or withdrawn one is noticed: 5s to "
        "24h. While the issuer cannot be reached, its keys stay.",
    )
    algorithms: tuple[Algorithm, ...] = Field(
        default=ALGORITHMS,
        min_length=1,
        description="Signature algorithms that its tokens may have.",
    )
    audiences: tuple[Text, ...] = Field(
        default=(),
        description="Values of the `aud` claim of which a token must have one. Required unless "
        "`builtin`.",
    )
    tenant_claim: Text = Field(
        default="tenant",
        description="Claim that names the tenant. A dot leads into an object: `realm.tenant`.",
    )

    @property
    def jwks_host(self) -> str:
        """Host of `jwks_uri`, without brackets; empty where there is none."""
        try:
            return urlsplit(self.jwks_uri or "").hostname or ""
        except ValueError:
            return ""


class Identity(Section):
    """Who may vouch for callers."""

    issuers: tuple[Issuer, ...] = Field(
        default=(Issuer(name=BUILTIN_ISSUER),),
        min_length=1,
        description="Issuers whose tokens are accepted.",
    )


class Observability(Section):
    """What is measured, and where to read it."""

    prometheus: Literal["auto", "disabled"] = Field(
        default="auto", description="`auto`: run where it is installed or can be."
    )
    traces: Literal["disabled", "jaeger"] = Field(
        default="disabled",
        description="Where spans of a request's way go. `jaeger`: run it beside Prometheus, for whoever administers the cluster.",
    )
    prometheus_port: Port = Field(default=9443, description="Port of Prometheus, on loopback.")
    metrics_port: Port = Field(
        default=9444, description="Port of the platform's metrics, on loopback."
    )


class Node(Section):
    """The node that provider `node` makes."""

    programs: AbsolutePath | None = Field(
        default=None,
        description="Folder with its programs, static builds of one's own. If left out: `programs` in "
        "`platform_bundle`, which `playbooks/bundle.yml` fills. What is not there is looked for where the machine keeps its own.",
    )
    kubernetes: Text | None = Field(
        default=None,
        description="Minor release of Kubernetes that it runs, such as `1.36`: `playbooks/bundle.yml` builds it, and programs of "
        "another are refused. If left out, that of its programs counts.",
    )
    directory: AbsolutePath | None = Field(
        default=None,
        description="Folder of all its state; `node` in `platform_home` if left out.",
    )
    network: Network = Field(
        default="10.98.0.0/30",
        description="Network between the machine and the node: its first address is the machine's, the second the node's.",
    )
    pod_network: Network = Field(default="10.244.0.0/16", description="Addresses of pods.")
    service_network: Network = Field(default="10.96.0.0/16", description="Addresses of Services.")

    @property
    def machine_address(self) -> str:
        """The machine's address on the network between both."""
        return str(ipaddress.ip_network(self.network)[1])

    @property
    def address(self) -> str:
        """The node's address on the network between both."""
        return str(ipaddress.ip_network(self.network)[2])


class Cluster(Section):
    """The cluster that target `kubernetes` uses."""

    provider: Literal["existing", "kind", "k3s", "eks", "gke", "aks", "node"] = Field(
        default="existing",
        description="`existing`: one that is there; the others are made: `kind` in containers, "
        "`k3s` on one machine, `node` from plain binaries, or by a cloud's own service.",
    )
    kubeconfig: AbsolutePath | None = Field(
        default=None, description="File with its address and credentials; kubectl's if left out."
    )
    context: Text | None = Field(
        default=None, description="Context of that file; the current one if left out."
    )
    namespace: Name = Field(
        default="inferencebox-system",
        description="Namespace of the platform's own objects, both tiers among them.",
    )
    storage_class: ObjectName | None = Field(
        default=None, description="StorageClass of its volumes; the cluster's default if left out."
    )
    provided: tuple[Name, ...] = Field(
        default=(),
        description="Components that the cluster has already, by their names in docs/reference/"
        "versions.md: they are looked for, and neither installed nor removed.",
    )
    ready_timeout: Duration = Field(
        default=600.0,
        description="How long a component, or a part of the platform, may take until it is ready.",
    )
    wait: Flag = Field(
        default=True,
        description="Wait until what is installed is ready. Without it nobody says whether it works.",
    )
    service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = Field(
        default="LoadBalancer",
        description="How the edge is reached. With `NodePort`, `platform_gateway.https_port` is the "
        "node's port.",
    )
    store_authorities: Certificates | None = Field(
        default=None,
        description="Authorities that vouch for stores of models' files, beside those that everybody trusts: of "
        "`https://` sources, and of `s3://` sources where their Secret names none. `\"{{ lookup('file', 'ca.crt') }}\"` "
        "reads a file.",
    )
    node: Node = Field(default=Node(), description="The node that provider `node` makes.")
    runtime_image: Image = Field(
        default="localhost/inferencebox/runtime:0.1.0",
        description="Image of the platform's own model servers, which also holds the packages of "
        "`python://` sources. No registry has it: load it into the nodes, or push it and name it here.",
    )


class Images(Section):
    """Where the images of a cluster's components come from."""

    registry: Registry | None = Field(
        default=None,
        description="Registry, or folder of one, that has all images under their own names: "
        "`docker.io/istio/pilot` as `REGISTRY/istio/pilot`. Where the projects publish them if left out.",
    )
    source: Literal["published", "built"] = Field(
        default="published",
        description="`published`: the projects' own images, copied. `built`: put together by "
        "`playbooks/bundle.yml` of Go modules and Python packages; needs `registry`, whose name they get.",
    )


class Engine(Section):
    """Which programs do the work where there is a choice."""

    gateway: Literal["controller", "standalone"] = Field(
        default="controller",
        description="Tier 1: `controller` is Envoy Gateway with its AI controller; `standalone` is "
        "one pod without controller or Redis, for small machines.",
    )


class Platform(Section):
    """A valid inventory. Made by `load`; names follow the variables without `platform_`."""

    name: PlatformName = Field(alias="platform_name", description="Name of the platform.")
    target: Target = Field(
        alias="platform_target",
        description="Where it runs: plain processes on one machine, or a cluster.",
    )
    domain: Domain = Field(
        default="inference.localhost",
        alias="platform_domain",
        description="Domain of its host names; callers use `gateway.DOMAIN`.",
    )
    train: Train = Field(
        default="2026.11",
        alias="platform_train",
        description="Release train: the one source of every component's version.",
    )
    home: AbsolutePath = Field(
        default="",
        alias="platform_home",
        description="Folder of all state of the `local` target. If left out: "
        "`/var/lib/inferencebox/NAME` for root, else `inferencebox/NAME` in `$XDG_STATE_HOME` or "
        "`~/.local/state`.",
    )
    bundle: AbsolutePath | None = Field(
        default=None,
        alias="platform_bundle",
        description="Folder with all charts and manifests of the train, as `playbooks/bundle.yml` "
        "fills it; the projects' own addresses if left out.",
    )
    images: Images = Field(
        default=Images(),
        alias="platform_images",
        description="Where the images of a cluster's components come from.",
    )
    gateway: Gateway = Field(
        default=Gateway(), alias="platform_gateway", description="The edge that callers see."
    )
    identity: Identity = Field(
        default=Identity(), alias="platform_identity", description="Who may vouch for callers."
    )
    observability: Observability = Field(
        default=Observability(),
        alias="platform_observability",
        description="What is measured, and where to read it.",
    )
    cluster: Cluster = Field(
        default=Cluster(),
        alias="platform_cluster",
        description="The cluster that target `kubernetes` uses.",
    )
    engine: Engine = Field(
        default=Engine(),
        alias="platform_engine",
        description="Which programs do the work where there is a choice.",
    )
    tenants: tuple[Tenant, ...] = Field(default=(), description="The tenants; at least one.")
    models: tuple[Model, ...] = Field(default=(), description="The models of all tenants.")
    providers: tuple[Provider, ...] = Field(
        default=(), description="Services elsewhere whose models tenants may be allowed."
    )

    @property
    def node_directory(self) -> str:
        """Folder of all state of the node that provider `node` makes."""
        return self.cluster.node.directory or f"{self.home}/node"

    @property
    def base_url(self) -> str:
        """Where callers reach the platform, without a slash at the end."""
        return f"https://gateway.{self.domain}:{self.gateway.https_port}"

    def tenant(self, name: str) -> Tenant:
        """Find a tenant.

        Raises:
            KeyError: There is no tenant of that name.
        """
        for tenant in self.tenants:
            if tenant.name == name:
                return tenant
        raise KeyError(name)

    def model(self, name: str) -> Model:
        """Find a model by the name that callers use.

        Raises:
            KeyError: There is no model of that name.
        """
        for model in self.models:
            if model.name == name:
                return model
        raise KeyError(name)

    def owned(self, tenant_name: str) -> tuple[Model, ...]:
        """List the models that a tenant owns, in the order of the inventory."""
        return tuple(model for model in self.models if model.tenant == tenant_name)

    def allowed(self, tenant_name: str) -> tuple[Model, ...]:
        """List the models that a tenant may call, in the order of the inventory.

        Raises:
            KeyError: There is no tenant of that name.
        """
        names = {qualified(entry, tenant_name) for entry in self.tenant(tenant_name).allow}
        return tuple(model for model in self.models if model.qualified_name in names)

    def allowed_external(self, tenant_name: str) -> tuple[tuple[Provider, ProviderModel], ...]:
        """List the providers' models that a tenant may call, in the order of the inventory.

        Raises:
            KeyError: There is no tenant of that name.
        """
        names = self.tenant(tenant_name).allow
        return tuple(
            (provider, model)
            for provider in self.providers
            for model in provider.models
            if f"{provider.name}/{model.name}" in names
        )

    def external(self, reference: str) -> tuple[Provider, ProviderModel]:
        """Find a provider's model by ``provider/model``.

        Raises:
            KeyError: There is no such model.
        """
        for provider in self.providers:
            for model in provider.models:
                if f"{provider.name}/{model.name}" == reference:
                    return provider, model
        raise KeyError(reference)


def qualified(reference: str, tenant_name: str) -> str:
    """Complete an entry of a tenant's allow list.

    Args:
        reference: "model" or "owner/model".
        tenant_name: The tenant whose list it stands in.

    Returns:
        Always "owner/model".
    """
    return reference if "/" in reference else f"{tenant_name}/{reference}"


def default_home(name: str) -> str:
    """Choose the folder of a platform's state for the user who runs this.

    Args:
        name: The platform's name.

    Returns:
        An absolute path: below /var/lib for root, else where the XDG base directory specification
        (version 0.8) puts state.
    """
    if os.geteuid() == 0:
        return f"/var/lib/inferencebox/{name}"
    state = os.environ.get("XDG_STATE_HOME", "")
    # The specification says to ignore a relative path.
    base = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return str(base / "inferencebox" / name)
