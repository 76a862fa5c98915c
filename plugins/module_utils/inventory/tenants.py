# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tenants: who may call which models, and how much they may use."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, Strict, WithJsonSchema

from ._types import Bytes, Cores, Count, Name, Positive, Positive32, Section, refuse, ruled

_REFERENCE = re.compile(r"^([a-z]([-a-z0-9]*[a-z0-9])?/)?[a-z]([-a-z0-9]*[a-z0-9])?$")
_SUBJECT = re.compile(r"^(group|user):\S+$")


def _reference_rule(value: str) -> None:
    if not _REFERENCE.fullmatch(value):
        raise refuse(
            "does not name a model",
            "Write the name of one of this tenant's models, owner/model or provider/model.",
        )


def _subject_rule(value: str) -> None:
    if not _SUBJECT.fullmatch(value):
        raise refuse(
            "names nobody", "Write group:NAME or user:NAME, as the identity issuer has them."
        )


Subject = Annotated[
    str,
    Strict(),
    ruled(_subject_rule),
    WithJsonSchema(
        {"type": "string", "x-expects": "group:NAME or user:NAME", "pattern": _SUBJECT.pattern}
    ),
]

Reference = Annotated[
    str,
    Strict(),
    ruled(_reference_rule),
    WithJsonSchema(
        {"type": "string", "x-expects": "model or owner/model", "pattern": _REFERENCE.pattern}
    ),
]


class Access(Section):
    """What a tenant may call."""

    allow: tuple[Reference, ...] = Field(
        default=(),
        description="Models this tenant may call: a plain name is one of its own; `owner/model` is "
        "another tenant's, which writing it here shares; `provider/model` is a provider's. A caller "
        "always uses the plain name.",
    )


class Limits(Section):
    """How much a tenant may ask for; what is left out is not limited."""

    requests_per_minute: Positive32 | None = Field(
        default=None,
        description="Requests in each minute over all callers and models of the tenant; beyond, "
        "429 with retry-after.",
    )
    tokens_per_minute: Positive | None = Field(
        default=None, description="Tokens, prompts and answers together, in each minute."
    )
    tokens_per_month: Positive | None = Field(
        default=None, description="Tokens, prompts and answers together, in each calendar month."
    )
    max_tokens_per_request: Positive | None = Field(
        default=None, description="Longest answer that one request may ask for, in tokens."
    )


class TenantResources(Section):
    """What all models of a tenant may take together; what is left out is not limited."""

    cpu: Cores | None = Field(default=None, description="Processor cores.")
    memory: Bytes | None = Field(
        default=None, description="Memory. With it, each model of the tenant must say its own."
    )
    gpu: Count = Field(default=0, description="GPUs.")
    pods: Positive | None = Field(default=None, description="Replicas of all models together.")


class Roles(Section):
    """Who may administer the tenant, as `group:NAME` or `user:NAME` of an identity issuer."""

    admin: tuple[Subject, ...] = Field(
        default=(), description="May change everything of the tenant."
    )
    publisher: tuple[Subject, ...] = Field(default=(), description="May publish models.")
    viewer: tuple[Subject, ...] = Field(default=(), description="May look at models and figures.")


class Tenant(Section):
    """One tenant."""

    name: Name = Field(
        description="The tenant's name; becomes its namespace, SPIFFE identity, Unix user and "
        "metric label."
    )
    models: Access = Field(default=Access(), description="What the tenant may call.")
    limits: Limits = Field(default=Limits(), description="How much it may ask for.")
    resources: TenantResources = Field(
        default=TenantResources(), description="What its models may take together."
    )
    isolation: Literal["hard", "soft"] = Field(
        default="hard",
        description="`hard`: processes and files of its own, and on a cluster a network of its own, out of "
        "which nothing goes that is not listed; on one machine the network is the machine's. `soft`: the same, "
        "but its model servers may call out into the network.",
    )
    roles: Roles = Field(default=Roles(), description="Who may administer it.")

    @property
    def allow(self) -> tuple[str, ...]:
        """What the tenant may call, as written: names and owner/name pairs."""
        return self.models.allow
