# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How providers and fallbacks fit into an inventory."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from .draft import Check, Draft, choose
from .models import PREDICTIVE_APIS
from .platform import Platform
from .providers import KIND_KEYS, KIND_RULES


def external_names(platform: Platform) -> list[str]:
    """List the models of all providers, each as ``provider/model``."""
    return [
        f"{provider.name}/{model.name}"
        for provider in platform.providers
        for model in provider.models
    ]


def _names_of_providers(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    places = {tenant.name: f"tenants[{n}]" for n, tenant in enumerate(platform.tenants)}
    taken = {model.name: f"models[{n}]" for n, model in enumerate(platform.models)}
    for index, provider in enumerate(platform.providers):
        if provider.name in places:
            yield Problem(
                f"providers[{index}].name",
                provider.name,
                f"is already the name of {places[provider.name]}",
                "Give it another name: both stand before the slash of a model.",
            )
        for place, model in enumerate(provider.models):
            path = f"providers[{index}].models[{place}]"
            if model.name in taken:
                yield Problem(
                    f"{path}.name",
                    model.name,
                    f"is already the name of {taken[model.name]}",
                    "Callers use the plain name: give it another, and its own as upstream.",
                )
            taken.setdefault(model.name, path)


def _fallbacks(draft: Draft) -> Iterator[Problem]:
    if not (draft.knows("providers", "name") and draft.knows("providers", "models")):
        return
    known = external_names(draft.platform)
    for index, model in enumerate(draft.platform.models):
        if model.fallback is None:
            continue
        path = f"models[{index}].fallback"
        if model.fallback not in known:
            yield Problem(
                path,
                model.fallback,
                "is not a provider's model",
                choose("Use one of", known, "Add the provider, or leave it out."),
            )
        elif set(model.publish.apis) & set(PREDICTIVE_APIS):
            yield Problem(
                path,
                model.fallback,
                "cannot answer v1 and v2",
                "Leave it out: providers serve language models.",
            )


def _provider_keys(draft: Draft) -> Iterator[Problem]:
    for index, provider in enumerate(draft.platform.providers):
        rule = KIND_RULES[provider.kind]
        for key in KIND_KEYS:
            value = getattr(provider, key)
            if value is None and key in rule.required:
                yield Problem(
                    f"providers[{index}].{key}",
                    None,
                    "is missing",
                    f"Add it: {provider.kind} needs it.",
                )
            elif value is not None and key not in rule.required + rule.optional:
                yield Problem(
                    f"providers[{index}].{key}",
                    value,
                    f"does not go with kind {provider.kind}",
                    "Leave it out.",
                )


PROVIDER_CHECKS: tuple[Check, ...] = (_names_of_providers, _provider_keys, _fallbacks)
