# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each target honours: the one table that decides, and from which the reference is generated.

No key of the inventory is accepted and then ignored. A row either says that a setting is honoured by
every target, or for which targets it is refused, with the reason and what to write instead. Rows that
refuse know how to find the uses of what they refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import Problem
from ..serving.upstreams import LLM_D
from ._types import is_address
from .platform import Cluster, Engine, Images, Issuer, Observability, Platform
from .sources import SCHEMES

# Where a setting is used: its path and its value.
Use = tuple[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        setting: The path, as the reference writes it.
        values: The values that this row is about.
        refused: Why they are refused; empty where every target honours them.
        remedy: What to write instead.
        uses: Finds where an inventory uses them.
        refused_by: The targets that refuse them.
    """

    setting: str
    values: str = "any"
    refused: str = ""
    remedy: str = ""
    uses: Callable[[Platform], Iterator[Use]] | None = None
    refused_by: tuple[str, ...] = ("local",)

    def refusal(self, target: str) -> str:
        """Say why a target refuses these values; empty where it honours them."""
        return self.refused if target in self.refused_by else ""


def _of_models(read: Callable[[Any], Iterator[Use]]) -> Callable[[Platform], Iterator[Use]]:
    def uses(platform: Platform) -> Iterator[Use]:
        for index, model in enumerate(platform.models):
            for path, value in read(model):
                yield f"models[{index}].{path}", value

    return uses


def _of_tenants(path: str, wanted: Callable[[Any], bool]) -> Callable[[Platform], Iterator[Use]]:
    def uses(platform: Platform) -> Iterator[Use]:
        for index, tenant in enumerate(platform.tenants):
            value = _at(tenant, path)
            if wanted(value):
                yield f"tenants[{index}].{path}", value

    return uses


def _models_where(path: str, wanted: Callable[[Any], bool]) -> Callable[[Platform], Iterator[Use]]:
    def read(model: Any) -> Iterator[Use]:
        value = _at(model, path)
        if wanted(value):
            yield path, value

    return _of_models(read)


def _at(section: Any, path: str) -> Any:
    for step in path.split("."):
        section = getattr(section, step)
    return section


def _differs(path: str, default: Any) -> Callable[[Platform], Iterator[Use]]:
    # A platform has its defaults filled in, so what is written as the default is not seen.
    def uses(platform: Platform) -> Iterator[Use]:
        value = _at(platform, path)
        if value != default:
            yield f"platform_{path}", value

    return uses


def _pinned(platform: Platform) -> Iterator[Use]:
    for index, issuer in enumerate(platform.identity.issuers):
        if issuer.algorithms != Issuer.model_fields["algorithms"].default:
            yield f"platform_identity.issuers[{index}].algorithms", list(issuer.algorithms)


def _by_address(platform: Platform) -> Iterator[Use]:
    for index, issuer in enumerate(platform.identity.issuers):
        if issuer.ca_file is not None and is_address(issuer.jwks_host):
            yield f"platform_identity.issuers[{index}].jwks_uri", issuer.jwks_uri


def _standalone(key: str) -> Callable[[Platform], Iterator[Use]]:
    find = _of_tenants(f"limits.{key}", _is_set)

    def uses(platform: Platform) -> Iterator[Use]:
        if platform.engine.gateway == "standalone":
            yield from find(platform)

    return uses


def _providers(platform: Platform) -> Iterator[Use]:
    for index, provider in enumerate(platform.providers):
        yield f"providers[{index}]", provider.name


def _is_set(value: Any) -> bool:
    return value is not None


def _is_positive(value: Any) -> bool:
    return bool(value)


def _scaling(model: Any) -> Iterator[Use]:
    replicas = model.serving.replicas
    if 0 < replicas.min < replicas.max:
        yield "serving.replicas.max", replicas.max


def _sources(model: Any) -> Iterator[Use]:
    if model.source.partition("://")[0] in SCHEMES and not model.source.startswith(_FETCHED):
        yield "source", model.source


def _checksums(model: Any) -> Iterator[Use]:
    if model.checksum is not None:
        yield "checksum", model.checksum
    for index, other in enumerate(model.versions):
        if other.checksum is not None:
            yield f"versions[{index}].checksum", other.checksum


def _starting(scheme: str) -> Callable[[Any], Iterator[Use]]:
    def read(model: Any) -> Iterator[Use]:
        if model.source.startswith(scheme):
            yield "source", model.source

    return read


_FETCHED = ("file://", "https://", "python://", "hf://", "s3://")
_SERVED = ("sklearn", "xgboost", "lightgbm", "llm")

_UNCOUNTED = "tokens are not counted yet"
_NO_SCALING = "the number of replicas is fixed, nothing scales yet"
_NO_SPLITTING = "all requests go to one version, splitting is not built yet"
_NO_PROVIDERS = "its gateway reaches no service elsewhere yet"
_NO_GPU = "model servers of this target run on processors only"
_LEAVE_OUT = "Leave it out."
_NO_CLUSTER = "it speaks of a cluster, and this target has none"
_CLUSTER_ONLY = ("kubernetes",)
_NOBODY = ("local", "kubernetes")

TABLE: tuple[Row, ...] = (
    Row("platform_name"),
    Row("platform_target"),
    Row("platform_domain"),
    Row("platform_train", "2026.11"),
    Row("platform_home"),
    Row(
        "platform_bundle",
        refused="it installs no charts",
        remedy=_LEAVE_OUT,
        uses=_differs("bundle", None),
    ),
    Row("platform_gateway"),
    Row("platform_identity"),
    Row(
        "platform_identity.issuers[].algorithms",
        "other than the default",
        "its gateway takes what fits the issuer's keys, and pins nothing",
        _LEAVE_OUT,
        _pinned,
        _CLUSTER_ONLY,
    ),
    Row(
        "platform_identity.issuers[].jwks_uri",
        "an IP address, with ca_file",
        "its gateway knows such an issuer by a host name only",
        "Write the host's name.",
        _by_address,
        _CLUSTER_ONLY,
    ),
    Row("platform_observability.prometheus"),
    Row(
        "platform_observability.traces",
        "jaeger",
        "its proxies send no spans",
        "Use disabled.",
        _differs("observability.traces", Observability.model_fields["traces"].default),
    ),
    *(
        Row(
            f"platform_observability.{key}",
            "other than the default",
            "its ports are those of the cluster's services",
            _LEAVE_OUT,
            _differs(f"observability.{key}", Observability.model_fields[key].default),
            _CLUSTER_ONLY,
        )
        for key in ("prometheus_port", "metrics_port")
    ),
    *(
        Row(
            f"platform_{section}.{key}",
            "other than the default",
            _NO_CLUSTER,
            _LEAVE_OUT,
            _differs(f"{section}.{key}", field.default),
        )
        for section, kind in (("images", Images), ("cluster", Cluster), ("engine", Engine))
        for key, field in kind.model_fields.items()
    ),
    Row("tenants[].name"),
    Row("tenants[].models.allow"),
    Row("tenants[].limits.requests_per_minute"),
    *(
        Row(
            f"tenants[].limits.{key}",
            refused=_UNCOUNTED,
            remedy="Leave it out, and limit requests_per_minute.",
            uses=_of_tenants(f"limits.{key}", _is_set),
        )
        for key in ("tokens_per_minute", "tokens_per_month")
    ),
    *(
        Row(
            f"tenants[].limits.{key}",
            "with platform_engine.gateway standalone",
            "the standalone gateway counts no tokens",
            "Leave it out, or use controller.",
            _standalone(key),
            _CLUSTER_ONLY,
        )
        for key in ("tokens_per_minute", "tokens_per_month")
    ),
    Row(
        "tenants[].limits.max_tokens_per_request",
        refused="no gateway looks at what a request asks for yet",
        remedy="Leave it out, and limit requests_per_minute.",
        uses=_of_tenants("limits.max_tokens_per_request", _is_set),
        refused_by=_NOBODY,
    ),
    Row("tenants[].resources.cpu"),
    Row("tenants[].resources.memory"),
    Row("tenants[].resources.pods"),
    Row("tenants[].resources.gpu", "0"),
    Row(
        "tenants[].resources.gpu",
        "1 and more",
        _NO_GPU,
        "Use 0.",
        _of_tenants("resources.gpu", _is_positive),
    ),
    Row("tenants[].isolation", "hard"),
    Row(
        "tenants[].isolation",
        "soft",
        "tenants never share a process or a file here",
        "Use hard.",
        _of_tenants("isolation", lambda value: value == "soft"),
    ),
    *(
        Row(
            f"tenants[].roles.{role}",
            "any entry",
            "nobody but the installing user administers the platform yet",
            "Leave the list empty.",
            _of_tenants(f"roles.{role}", _is_positive),
        )
        for role in ("admin", "publisher", "viewer")
    ),
    Row("models[].name"),
    Row("models[].tenant"),
    Row("models[].framework", ", ".join(_SERVED)),
    Row(
        "models[].framework",
        "pytorch, tensorflow, onnx, huggingface, custom",
        "no server for this framework is built in yet",
        f"Use one of {', '.join(_SERVED)}.",
        _models_where("framework", lambda value: value not in _SERVED),
    ),
    Row("models[].source", ", ".join(_FETCHED[1:])),
    Row(
        "models[].source",
        "file://",
        "a path of this machine means nothing in a pod",
        "Put the files into a volume and use pvc://.",
        _of_models(_starting("file://")),
        _CLUSTER_ONLY,
    ),
    Row(
        "models[].source",
        "gs://, oci://, pvc://",
        "this target cannot fetch from there",
        f"Use one of {', '.join(_FETCHED)}.",
        _of_models(_sources),
    ),
    Row(
        "models[].checksum",
        refused="KServe fetches the files and compares nothing",
        remedy="Leave it out, and name a source whose content is fixed: hf://OWNER/NAME@COMMIT, or an "
        "image by its digest.",
        uses=_of_models(_checksums),
        refused_by=_CLUSTER_ONLY,
    ),
    Row("models[].version"),
    Row(
        "models[].versions",
        refused=_NO_SPLITTING,
        remedy=_LEAVE_OUT,
        uses=_models_where("versions", _is_positive),
    ),
    Row(
        "models[].source_secret",
        refused=_NO_CLUSTER,
        remedy=_LEAVE_OUT,
        uses=_models_where("source_secret", _is_set),
    ),
    *(
        Row(
            f"models[].{key}",
            refused="its model servers are built in and run as plain processes",
            remedy=_LEAVE_OUT,
            uses=_models_where(key, _is_set),
        )
        for key in ("runtime", "transformer")
    ),
    Row("models[].serving.mode", "standard"),
    Row(
        "models[].serving.mode",
        "knative",
        _NO_SCALING,
        "Use standard.",
        _models_where("serving.mode", lambda value: value == "knative"),
    ),
    Row("models[].serving.replicas", "min equal to max, 1 or more"),
    Row(
        "models[].serving.replicas.min",
        "0",
        _NO_SCALING,
        "Use 1 or more, the same as max.",
        _models_where("serving.replicas.min", lambda value: value == 0),
    ),
    Row(
        "models[].serving.replicas.max",
        "more than min",
        _NO_SCALING,
        "Use the same number as min.",
        _of_models(_scaling),
    ),
    *(
        Row(
            f"models[].serving.{key}",
            refused=_NO_SCALING,
            remedy=_LEAVE_OUT,
            uses=_models_where(f"serving.{key}", _is_set),
        )
        for key in ("autoscaler", "target_concurrency", "idle_seconds")
    ),
    Row("models[].serving.start_timeout"),
    Row("models[].serving.request_timeout"),
    Row("models[].serving.resources.cpu"),
    Row("models[].serving.resources.memory"),
    Row("models[].serving.resources.gpu", "0"),
    Row(
        "models[].serving.resources.gpu",
        "1 and more",
        _NO_GPU,
        "Use 0.",
        _models_where("serving.resources.gpu", _is_positive),
    ),
    Row("models[].publish.apis"),
    Row("models[].publish.public", "false"),
    Row(
        "models[].publish.public",
        "true",
        "every caller must have an identity",
        "Use false, and give callers a key.",
        _models_where("publish.public", _is_positive),
        _NOBODY,
    ),
    Row("models[].publish.example"),
    Row("models[].traffic.stable", "the model's version"),
    Row(
        "models[].traffic.canary",
        refused=_NO_SPLITTING,
        remedy=_LEAVE_OUT,
        uses=_models_where("traffic.canary", _is_set),
    ),
    Row(
        "models[].traffic.mirror",
        refused=_NO_SPLITTING,
        remedy=_LEAVE_OUT,
        uses=_models_where("traffic.mirror", _is_set),
    ),
    Row(
        "models[].fallback",
        refused=_NO_PROVIDERS,
        remedy=_LEAVE_OUT,
        uses=_models_where("fallback", _is_set),
    ),
    Row("providers", "any entry", _NO_PROVIDERS, "Leave the list empty.", _providers),
)


def refused_settings(platform: Platform) -> Iterator[Problem]:
    """Find what the platform's target does not honour.

    Args:
        platform: A platform, possibly one with other mistakes.

    Yields:
        One problem for each use of a refused setting, in the order of the table.
    """
    for row in TABLE:
        reason = row.refusal(platform.target)
        for path, value in row.uses(platform) if row.uses and reason else ():
            shown = _shown(value)
            yield Problem(
                path,
                shown,
                f"is not supported by target {platform.target}: {reason}",
                row.remedy,
            )


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    return value.model_dump(by_alias=True) if hasattr(value, "model_dump") else value


def not_installed(platform: Platform) -> Iterator[Problem]:
    """Find what is validated and rendered, but what nothing installs yet.

    Args:
        platform: A valid platform.

    Yields:
        One problem for each, in the order of `UNBUILT`.
    """
    for row in UNBUILT:
        for path, value in row.uses(platform) if platform.target == "kubernetes" else ():
            yield Problem(path, value, f"is not installed yet: {row.reason}", row.remedy)


@dataclass(frozen=True)
class Unbuilt:
    """Something that target kubernetes renders, but that its roles do not install.

    Attributes:
        setting: The path, as the reference writes it.
        values: The values that this row is about.
        reason: What is missing.
        remedy: What to write instead.
        uses: Finds where an inventory uses them.
    """

    setting: str
    values: str
    reason: str
    remedy: str
    uses: Callable[[Platform], Iterator[Use]]


def _pools(platform: Platform) -> Iterator[Use]:
    for index, model in enumerate(platform.models):
        if model.runtime == LLM_D:
            yield f"models[{index}].runtime", LLM_D


UNBUILT: tuple[Unbuilt, ...] = (
    Unbuilt(
        "models[].runtime",
        LLM_D,
        "no role installs KServe's controller of LLMInferenceServices",
        "Leave it out, or name another runtime.",
        _pools,
    ),
)
