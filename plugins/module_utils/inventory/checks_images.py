# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What images that do not come from their projects ask of an inventory."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..serving.upstreams import LLAMACPP, PREDICTIVE
from .draft import Check, Draft
from .platform import Platform

_BUILT_RUNTIMES = (LLAMACPP, PREDICTIVE)
# What the platform's own model servers load.
PREDICTIVE_FRAMEWORKS = ("sklearn", "xgboost", "lightgbm")
_BUILT_FRAMEWORKS = (*PREDICTIVE_FRAMEWORKS, "llm")
# A registry's image is no file that is fetched.
_BUILT_SCHEMES = ("python", "pvc", "https", "s3", "gs", "hf")


def _registry(draft: Draft) -> Iterator[Problem]:
    images = draft.platform.images
    if draft.target == "kubernetes" and images.source == "built" and images.registry is None:
        yield Problem(
            "platform_images.registry",
            None,
            "is missing: images that are built here must not be taken for their projects' own",
            "Add it, such as localhost/inferencebox for images that are loaded into the nodes.",
        )


def _unnamed(platform: Platform) -> Iterator[tuple[str, object, str, str]]:
    """Components whose charts and manifests are not told another registry: path, value, component, remedy."""
    if platform.observability.prometheus != "disabled" and platform.cluster.provider != "node":
        yield "platform_observability.prometheus", "auto", "kube-prometheus-stack", "Use disabled"
    if platform.observability.traces != "disabled" and platform.cluster.provider != "node":
        for name in ("jaeger", "opentelemetry-collector"):
            yield (
                "platform_observability.traces",
                platform.observability.traces,
                name,
                "Use disabled",
            )
    for index, model in enumerate(platform.models):
        serving = f"models[{index}].serving"
        if model.serving.mode == "knative" and not _own_ingress(platform):
            for name in ("knative-serving", "net-istio"):
                yield f"{serving}.mode", "knative", name, "Use standard"
        if model.serving.scaled_by == "keda" and platform.cluster.provider != "node":
            yield f"{serving}.replicas", None, "keda", "Use a fixed number of replicas"


def _own_ingress(platform: Platform) -> bool:
    """Whether Knative and what routes its requests are built here."""
    return platform.cluster.provider == "node" and platform.images.source == "built"


def _knative_on_a_node(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if draft.target != "kubernetes" or platform.cluster.provider != "node":
        return
    if platform.images.source == "built" or "knative-serving" in platform.cluster.provided:
        return
    for index, model in enumerate(platform.models):
        if model.serving.mode == "knative":
            yield Problem(
                f"models[{index}].serving.mode",
                "knative",
                "needs images that are built, on a node of plain binaries",
                "Use platform_images.source built, or standard.",
            )


def _components(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if draft.target != "kubernetes" or platform.images.registry is None:
        return
    for path, value, name, remedy in _unnamed(platform):
        if name not in platform.cluster.provided:
            yield Problem(
                path,
                value,
                f"needs {name}, whose images come from their own registries only",
                f"{remedy}, or install {name} yourself and name it in platform_cluster.provided.",
            )


def _models(draft: Draft) -> Iterator[Problem]:
    if draft.target != "kubernetes" or draft.platform.images.source != "built":
        return
    for index, model in enumerate(draft.platform.models):
        if model.runtime is None and model.framework not in (*_BUILT_FRAMEWORKS, "custom"):
            yield Problem(
                f"models[{index}].framework",
                model.framework,
                "is served by no image that can be built",
                f"Use one of {', '.join(_BUILT_FRAMEWORKS)}, or platform_images.source published.",
            )
        elif model.runtime is not None and model.runtime.startswith("kserve-"):
            yield Problem(
                f"models[{index}].runtime",
                model.runtime,
                "is an image of KServe's, which cannot be built",
                f"Leave it out, or use one of {', '.join(_BUILT_RUNTIMES)}.",
            )
        for path, source in (
            (f"models[{index}].source", model.source),
            *(
                (f"models[{index}].versions[{place}].source", other.source)
                for place, other in enumerate(model.versions)
            ),
        ):
            if source.partition("://")[0] not in _BUILT_SCHEMES:
                yield Problem(
                    path,
                    source,
                    "is an image of its own, and images are those that were built",
                    f"Use one of {', '.join(f'{scheme}://' for scheme in _BUILT_SCHEMES)}.",
                )


IMAGE_CHECKS: tuple[Check, ...] = (_registry, _components, _knative_on_a_node, _models)
