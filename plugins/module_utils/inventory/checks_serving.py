# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What serving on a cluster asks of models: what a runtime speaks, and what KServe would not do."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..serving.upstreams import LLAMACPP, LLM_D, PREDICTIVE, cluster_runtime
from .draft import Check, Draft
from .models import APIS, PREDICTIVE_APIS, Model

_OWN_RUNTIMES = (LLAMACPP, PREDICTIVE)


def _apis_of_runtimes(draft: Draft) -> Iterator[Problem]:
    """Not every runtime of a cluster speaks everything that its framework does."""
    if draft.target != "kubernetes":
        return
    for index, model in enumerate(draft.platform.models):
        if model.framework == "custom" and model.runtime is None:
            continue
        served = cluster_runtime(model.framework, model.runtime, model.publish.apis)
        for place, api in enumerate(model.publish.apis):
            if api in APIS.get(model.framework, PREDICTIVE_APIS) and api not in served.prefixes:
                yield Problem(
                    f"models[{index}].publish.apis[{place}]",
                    api,
                    f"is nothing that runtime {served.name} answers beside the others",
                    f"It answers {', '.join(served.prefixes)}: leave the rest out, or name another runtime.",
                )


def _unsupported_together(draft: Draft) -> Iterator[Problem]:
    """What KServe accepts and does not do."""
    if draft.target != "kubernetes":
        return
    for index, model in enumerate(draft.platform.models):
        path = f"models[{index}]"
        if model.runtime == LLM_D:
            yield from _llm_d(model, path)
        try:
            origin = model.origin
        except ValueError:
            continue  # a problem of its own
        if model.source_secret is not None and origin.scheme in ("pvc", "python"):
            yield Problem(
                f"{path}.source_secret",
                model.source_secret,
                f"is nothing that a {origin.scheme} source needs",
                "Leave it out.",
            )
        inside = origin.scheme == "hf" and origin.path
        if inside and model.framework != "llm" and model.runtime not in _OWN_RUNTIMES:
            yield Problem(
                f"{path}.source",
                model.source,
                "names a path inside a repository, and KServe fetches repositories whole",
                "Leave the path out.",
            )


def _llm_d(model: Model, path: str) -> Iterator[Problem]:
    refused: tuple[tuple[str, object, str], ...] = (
        (
            "serving.mode",
            model.serving.mode if model.serving.mode == "knative" else None,
            "standard",
        ),
        ("transformer", model.transformer and model.transformer.image, "none"),
        ("traffic.mirror", model.traffic.mirror, "none"),
        (
            "serving.replicas",
            f"{model.serving.replicas.min} to {model.serving.replicas.max}"
            if model.serving.scaled_by not in ("none", "knative")
            else None,
            "the same min and max",
        ),
    )
    for key, value, instead in refused:
        if value is not None:
            yield Problem(
                f"{path}.{key}", value, f"does not go with runtime {LLM_D}", f"Use {instead}."
            )


SERVING_CHECKS: tuple[Check, ...] = (_apis_of_runtimes, _unsupported_together)
