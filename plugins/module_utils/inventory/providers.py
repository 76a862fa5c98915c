# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Providers: services elsewhere whose models the platform's callers may use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, Strict, WithJsonSchema

from ._types import Domain, Name, ObjectName, Port, Section, Text, refuse, ruled

ProviderKind = Literal["openai", "azure", "bedrock", "vertex", "anthropic"]

_PREFIX = re.compile(r"^(/[A-Za-z0-9._-]+)+$")


def _prefix_rule(value: str) -> None:
    if not _PREFIX.fullmatch(value):
        raise refuse("is not a path prefix", "Write it as /v1 or /v1beta/openai.")


PathPrefix = Annotated[
    str,
    Strict(),
    ruled(_prefix_rule),
    WithJsonSchema({"type": "string", "x-expects": "path prefix", "pattern": _PREFIX.pattern}),
]


@dataclass(frozen=True)
class KindRule:
    """Which keys a kind of provider needs, which it admits, and where it is found by default.

    Attributes:
        required: Keys that must be there.
        optional: Keys that may be there.
        host: Its host, with the provider's keys in braces; empty where there is no default.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    host: str


# Hosts as the vendors document them:
#   https://docs.aws.amazon.com/general/latest/gr/bedrock.html
#   https://cloud.google.com/vertex-ai/docs/reference/rest
KIND_RULES: Mapping[str, KindRule] = {
    "openai": KindRule((), ("host", "prefix"), "api.openai.com"),
    "azure": KindRule(("host", "api_version"), (), ""),
    "bedrock": KindRule(("region",), ("host",), "bedrock-runtime.{region}.amazonaws.com"),
    "vertex": KindRule(("region", "project"), ("host",), "{region}-aiplatform.googleapis.com"),
    "anthropic": KindRule((), ("host", "prefix"), "api.anthropic.com"),
}
# Keys that only some kinds know.
KIND_KEYS = ("host", "prefix", "api_version", "region", "project")


class ProviderModel(Section):
    """One model of a provider."""

    name: Name = Field(description="The name callers use; unique on the platform.")
    upstream: Text | None = Field(
        default=None, description="Its name at the provider; the same if left out."
    )

    @property
    def upstream_name(self) -> str:
        """Its name at the provider."""
        return self.upstream or self.name


class Provider(Section):
    """One service elsewhere."""

    name: Name = Field(
        description="The provider's name, before the slash where a tenant allows its models."
    )
    kind: ProviderKind = Field(description="What it speaks; `openai` is any service that does.")
    host: Domain | None = Field(
        default=None, description="Where it is. Required for `azure`, else the vendor's."
    )
    port: Port = Field(default=443, description="Port; always TLS.")
    prefix: PathPrefix | None = Field(
        default=None, description="Path before the operations, for `openai` and `anthropic`."
    )
    api_version: Text | None = Field(
        default=None, description="Version of the API. Required for `azure`, and only there."
    )
    region: Name | None = Field(
        default=None, description="Region. Required for `bedrock` and `vertex`, and only there."
    )
    project: Name | None = Field(
        default=None, description="Project. Required for `vertex`, and only there."
    )
    secret: ObjectName = Field(
        description="Secret in the platform's namespace with its credentials."
    )
    models: tuple[ProviderModel, ...] = Field(
        min_length=1, description="Its models that tenants may be allowed, as `provider/model`."
    )

    @property
    def endpoint(self) -> str:
        """Its host name."""
        return self.host or KIND_RULES[self.kind].host.format(region=self.region)
