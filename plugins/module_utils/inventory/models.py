# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models: what is served, from where, how, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ._types import (
    Body,
    Bytes,
    Checksum,
    Cores,
    Count,
    Duration,
    Flag,
    HeaderName,
    Image,
    Name,
    ObjectName,
    Percent,
    Positive,
    Section,
    Text,
    Version,
)
from .sources import Source, SourceText, parse_source
from .tenants import Reference

Framework = Literal[
    "sklearn",
    "xgboost",
    "lightgbm",
    "pytorch",
    "tensorflow",
    "onnx",
    "huggingface",
    "llm",
    "custom",
]
Api = Literal["v1", "v2", "chat", "completions", "embeddings", "responses", "messages"]

PREDICTIVE_APIS = ("v1", "v2")
LANGUAGE_APIS = ("chat", "completions", "embeddings", "responses", "messages")
# Frameworks that are not listed serve the predictive APIs alone.
APIS = {
    "llm": LANGUAGE_APIS,
    "huggingface": PREDICTIVE_APIS + LANGUAGE_APIS,
    "custom": PREDICTIVE_APIS + LANGUAGE_APIS,
}

# Defaults that differ for language models: a long answer takes minutes on a small machine.
_LANGUAGE_DEFAULTS: dict[str, dict[str, Any]] = {
    "serving": {"request_timeout": "300s"},
    "publish": {"apis": ["chat", "completions"]},
}


class Replicas(Section):
    """How many processes serve the model."""

    min: Count = Field(default=1, description="Fewest; 0 lets it sleep while nobody calls.")
    max: Annotated[Count, Field(ge=1)] = Field(
        default=1, description="Most; `min` where left out, and at least 1."
    )

    @model_validator(mode="before")
    @classmethod
    def _fixed_number(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "max" not in data and isinstance(data.get("min"), int):
            return {**data, "max": max(1, data["min"])}
        return data


class ModelResources(Section):
    """What each replica may take."""

    cpu: Cores = Field(
        default=1.0, description="Processor cores; the whole ones, at least one, are its threads."
    )
    memory: Bytes | None = Field(
        default=None, description="Memory it may allocate; not limited where left out."
    )
    gpu: Count = Field(default=0, description="GPUs.")


class Serving(Section):
    """How the model is run."""

    mode: Literal["standard", "knative"] = Field(
        default="standard", description="`standard`: always there; `knative`: started by demand."
    )
    replicas: Replicas = Field(default=Replicas(), description="How many processes serve it.")
    autoscaler: Literal["hpa", "keda"] | None = Field(
        default=None,
        description="What changes the number of replicas in mode `standard`: `hpa` by processor "
        "use, never below 1; `keda` by requests at once, down to 0. If left out: `keda` where `min` "
        "is 0 or `target_concurrency` or `idle_seconds` is given, else `hpa`.",
    )
    target_concurrency: Positive | None = Field(
        default=None, description="Requests at once for which one replica is meant."
    )
    idle_seconds: Positive | None = Field(
        default=None, description="Seconds without a request after which replicas may stop."
    )
    start_timeout_seconds: Duration = Field(
        default=60.0, alias="start_timeout", description="How long a replica may take to be ready."
    )
    request_timeout_seconds: Duration = Field(
        default=60.0,
        alias="request_timeout",
        description="How long an answer may take; beyond, 504. Default for `llm`: 300s.",
    )
    resources: ModelResources = Field(
        default=ModelResources(), description="What each replica may take."
    )

    @property
    def scaled_by(self) -> Literal["none", "hpa", "keda", "knative"]:
        """What changes the number of replicas on a cluster; `none` where it is fixed."""
        if self.mode == "knative":
            return "knative"
        if self.replicas.min == self.replicas.max:
            return "none"
        return self.autoscaler or ("keda" if self.needs_keda else "hpa")

    @property
    def needs_keda(self) -> bool:
        """Whether mode `standard` needs more than a HorizontalPodAutoscaler can do."""
        return (
            self.replicas.min == 0
            or self.target_concurrency is not None
            or self.idle_seconds is not None
        )


class Transformer(Section):
    """A container of the tenant's own that rewrites requests and answers of the model."""

    image: Image = Field(description="Its image; it speaks the model's protocol on both sides.")
    args: tuple[Text, ...] = Field(default=(), description="Arguments of its command.")
    resources: ModelResources = Field(
        default=ModelResources(), description="What each replica of it may take."
    )


class OtherVersion(Section):
    """The files of one more version, for `traffic` to name."""

    version: Version = Field(description="The version that these files are.")
    source: SourceText = Field(description="Where its files come from; see Sources.")
    checksum: Checksum | None = Field(
        default=None,
        description="Of the file that `source` names. Required for https on target `local`.",
    )

    @property
    def origin(self) -> Source:
        """The parts of `source`."""
        return parse_source(self.source)


class Publish(Section):
    """What callers see of the model."""

    apis: tuple[Api, ...] = Field(
        default=("v1", "v2"),
        min_length=1,
        description="Protocols it answers. `v1` and `v2` are KServe's, the others are for language "
        "models. Default for `llm`: chat, completions.",
    )
    public: Flag = Field(default=False, description="Whether it answers callers without identity.")
    example: Body | None = Field(
        default=None,
        description="Body of a request that it answers: for verification, benchmarks and "
        "the console.",
    )


class Canary(Section):
    """A version that takes a part of the traffic."""

    version: Version = Field(description="The version on trial.")
    weight: Percent = Field(description="Its share of the requests in percent.")
    cohort_header: HeaderName | None = Field(
        default=None, description="Header whose value decides, so that a caller meets one version."
    )


class Traffic(Section):
    """Which version answers."""

    stable: Version | None = Field(
        default=None, description="The version that answers; the model's `version` if left out."
    )
    canary: Canary | None = Field(default=None, description="A version that takes a part of it.")
    mirror: Version | None = Field(
        default=None, description="A version that gets copies of all requests and answers nobody."
    )


class Model(Section):
    """One model."""

    name: Name = Field(description="The name callers use; unique on the platform.")
    tenant: Name = Field(description="The tenant that owns it.")
    framework: Framework = Field(
        description="What it was made with; `llm` is a GGUF file for llama.cpp."
    )
    source: SourceText = Field(description="Where its files come from; see Sources.")
    checksum: Checksum | None = Field(
        default=None,
        description="Of the file that `source` names. Required for https on target `local`.",
    )
    version: Version = Field(default="1", description="Its version. Change it with the files.")
    versions: tuple[OtherVersion, ...] = Field(
        default=(), description="Files of the other versions that `traffic` names."
    )
    source_secret: ObjectName | None = Field(
        default=None,
        description="Secret in the tenant's namespace with the credentials for `source`.",
    )
    runtime: ObjectName | None = Field(
        default=None,
        description="ServingRuntime or ClusterServingRuntime that serves it; the framework's own if "
        "left out. Required for `custom`.",
    )
    transformer: Transformer | None = Field(
        default=None, description="A container that rewrites its requests and answers."
    )
    serving: Serving = Field(default=Serving(), description="How it is run.")
    publish: Publish = Field(default=Publish(), description="What callers see of it.")
    traffic: Traffic = Field(default=Traffic(), description="Which version answers.")
    fallback: Reference | None = Field(
        default=None,
        description="`provider/model` that answers while this one cannot; see `providers`.",
    )

    @property
    def processes(self) -> int:
        """Replicas that may run at once, those of a canary and a mirror among them."""
        most = self.serving.replicas.max
        # A canary's replicas are taken from the stable ones, rounded up.
        return most + bool(self.traffic.canary) + (most if self.traffic.mirror else 0)

    def files_of(self, version: str) -> Source:
        """Say where the files of one of its versions come from.

        Raises:
            KeyError: The model has no such version.
        """
        if version == self.version:
            return self.origin
        for other in self.versions:
            if other.version == version:
                return other.origin
        raise KeyError(version)

    @property
    def origin(self) -> Source:
        """The parts of `source`."""
        return parse_source(self.source)

    @property
    def qualified_name(self) -> str:
        """The name with its owner: ``owner/model``."""
        return f"{self.tenant}/{self.name}"

    @model_validator(mode="before")
    @classmethod
    def _language_defaults(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or data.get("framework") != "llm":
            return data
        filled = dict(data)
        for section, defaults in _LANGUAGE_DEFAULTS.items():
            given = data.get(section, {})
            if isinstance(given, Mapping):
                filled[section] = {**defaults, **given}
        return filled
