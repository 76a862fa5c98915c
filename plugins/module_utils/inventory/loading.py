# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From variables to a `Platform`, or to all mistakes in one go.

A mistake in one value must not hide how the rest fits together. So the values that cannot be read
are noted and replaced, and the checks of the whole run on the result; what they say of a replaced
value is dropped.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import InventoryError, Problem
from ..serving.upstreams import PREDICTIVE
from ._types import DRAFT
from .checks import find_problems
from .checks_images import PREDICTIVE_FRAMEWORKS
from .draft import Draft
from .platform import Platform, default_home
from .problems import Location, from_pydantic, path_of
from .support import not_installed

_PREFIX = "platform_"
_OTHERS = ("tenants", "models", "providers")

# What replaces a value that is required and cannot be read.
_REPLACEMENTS: Mapping[str, Any] = {
    "platform_name": "?",
    "platform_target": "kubernetes",  # never looked at: see Draft.target
    "name": "?",
    "tenant": "?",
    "framework": "custom",
    "source": "?",
    "version": "?",
    "weight": 0,
    "kind": "openai",
    "secret": "?",
    "image": "?",
}

# Each round replaces at least one value or drops what holds it: this is far beyond any nesting.
_ROUNDS = 20


def select_variables(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the variables of the inventory out of all that Ansible knows of a host.

    Args:
        variables: Any variables. The values are read for those alone that are picked.

    Returns:
        `tenants`, `models`, `providers` and everything that starts with ``platform_``.
    """
    return {key: variables[key] for key in variables if key in _OTHERS or key.startswith(_PREFIX)}


def load(raw: Mapping[str, Any], *, installable: bool = False) -> Platform:
    """Validate an inventory.

    Args:
        raw: Variables as plain dicts, lists and scalars; others than those of the inventory are not
            looked at. From Ansible, pass them through `plain.to_plain` first.
        installable: Also refuse what is rendered, but what nothing installs yet.

    Returns:
        The platform, with every default filled in.

    Raises:
        InventoryError: Something is wrong; `problems` holds everything found, in the order of
            tenants, models and providers.
    """
    data = select_variables(raw)
    name = data.get("platform_name")
    if data.get("platform_home") is None and isinstance(name, str):
        data["platform_home"] = default_home(name)
    problems, draft = _read(data)
    if draft is not None:
        noted = {problem.path for problem in problems}
        for problem in find_problems(draft):
            if not _is_within(problem.path, noted | draft.replaced):
                problems.append(_as_written(problem, data))
        refused = not_installed(draft.platform) if installable else ()
        problems += [one for one in refused if one.path not in noted]
    if problems:
        raise InventoryError(_in_order(problems))
    return _completed(Platform.model_validate(data))


def _completed(platform: Platform) -> Platform:
    """Fill in defaults that depend on other settings.

    No image of KServe's own model servers can be built: the platform's own serve the same frameworks.
    """
    if platform.target != "kubernetes" or platform.images.source != "built":
        return platform
    models = tuple(
        model.model_copy(update={"runtime": PREDICTIVE})
        if model.runtime is None and model.framework in PREDICTIVE_FRAMEWORKS
        else model
        for model in platform.models
    )
    return platform.model_copy(update={"models": models})


def to_vars(platform: Platform) -> dict[str, Any]:
    """Write a platform as variables again, with every default filled in.

    Args:
        platform: A valid platform.

    Returns:
        Plain data, ready for JSON; `load` makes an equal platform of it.
    """
    return platform.model_dump(mode="json", by_alias=True)


def _read(data: Mapping[str, Any]) -> tuple[list[Problem], Draft | None]:
    try:
        return [], Draft(Platform.model_validate(data))
    except ValidationError as error:
        details = _own(error.errors())
        problems = [from_pydantic(detail, Platform) for detail in details]
    repaired = copy.deepcopy(dict(data))
    replaced: set[Location] = set()
    for _ in range(_ROUNDS):
        try:
            platform = Platform.model_validate(repaired, context=DRAFT)
        except ValidationError as error:
            # From the end, so that nothing moves to a place that is still to be repaired.
            for detail in reversed(error.errors()):
                _replace(repaired, detail["loc"], replaced)
        else:
            return problems, Draft(platform, frozenset(map(path_of, replaced)))
    return problems, None


def _own(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out lists that are too short only because their entries are wrong, which is said already."""
    places = [detail["loc"] for detail in details]

    def follows(detail: ErrorDetails) -> bool:
        length = len(detail["loc"])
        return detail["type"] == "too_short" and any(
            len(place) > length and place[:length] == detail["loc"] for place in places
        )

    return [detail for detail in details if not follows(detail)]


def _replace(data: dict[str, Any], location: Location, replaced: set[Location]) -> None:
    """Replace what stands at a location, or what holds it where that was of no help."""
    while location in replaced and len(location) > 1:
        location = location[:-1]
    replaced.add(location)
    holder: Any = data
    for step in location[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return  # dropped in the same round together with what held it
    key = location[-1]
    if isinstance(key, int):
        if isinstance(holder, list) and key < len(holder):
            kind = re.sub(r"\[\d+\]", "[]", path_of(location[:-1]))
            holder[key] = {} if kind in _LISTS_OF_SECTIONS else "?"
    elif isinstance(holder, dict):
        if key in _REPLACEMENTS:
            holder[key] = _REPLACEMENTS[str(key)]
        else:
            holder.pop(key, None)


_LISTS_OF_SECTIONS = (
    "tenants",
    "models",
    "models[].versions",
    "providers",
    "providers[].models",
    "platform_identity.issuers",
)


def _as_written(problem: Problem, data: Mapping[str, Any]) -> Problem:
    """Show a section as the inventory has it: without defaults, and without what was put in for unreadable values."""
    if not isinstance(problem.value, Mapping):
        return problem
    found: Any = data
    try:
        for step in re.findall(r"[^.\[\]]+", problem.path):
            found = found[int(step) if isinstance(found, list | tuple) else step]
    except (KeyError, IndexError, TypeError, ValueError):
        return problem
    return replace(problem, value=found)


def _is_within(path: str, others: Iterable[str]) -> bool:
    return any(path == other or path.startswith((f"{other}.", f"{other}[")) for other in others)


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort as a reader goes through the files: settings, tenants, models, providers, each by position."""

    def place(problem: Problem) -> tuple[int, int]:
        head, _, rest = problem.path.partition("[")
        index = rest.partition("]")[0]
        top = head.partition(".")[0]
        rank = _OTHERS.index(top) + 1 if top in _OTHERS else 0
        return rank, int(index) if rank and index.isdigit() else -1

    return sorted(problems, key=place)
