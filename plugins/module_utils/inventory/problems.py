# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pydantic's errors as problems that a person can act on."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ..errors import Problem
from ._types import REFUSED

Location = tuple[int | str, ...]

_WANTED = {
    "string_type": ("is not text", 'Write text; numbers and yes or no in quotes, such as "1".'),
    "int_type": ("is not a whole number", "Write a whole number, without quotes."),
    "int_from_float": ("is not a whole number", "Write a whole number, without quotes."),
    "bool_type": ("is neither true nor false", "Write true or false, without quotes."),
    "model_type": ("is not a mapping", "Write keys with values below it."),
    "model_attributes_type": ("is not a mapping", "Write keys with values below it."),
    "dict_type": ("is not a mapping", "Write keys with values below it."),
    "tuple_type": ("is not a list", "Write a list, one entry after each dash."),
}

_PREFIX = "platform_"

# Remedies with a part of the error's context.
_BOUNDS = {
    "literal_error": ("is not a known value", "Use {expected}."),
    "greater_than_equal": ("is too small", "Use {ge} or more."),
    "less_than_equal": ("is too large", "Use {le} or less."),
    "too_short": ("has too few entries", "Write at least {min_length}."),
}


def path_of(location: Sequence[int | str]) -> str:
    """Write a location as a reader would: ("tenants", 1, "name") becomes "tenants[1].name"."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def from_pydantic(error: ErrorDetails, root: type[BaseModel]) -> Problem:
    """Turn one of pydantic's errors into a problem.

    Args:
        error: An entry of `ValidationError.errors()`.
        root: The class that was validated; its fields make the remedies.
    """
    location = error["loc"]
    value = None if error["type"] == "missing" else error["input"]
    message, remedy = _sentences(error, root)
    return Problem(path_of(location), value, message, remedy)


def _sentences(error: ErrorDetails, root: type[BaseModel]) -> tuple[str, str]:
    location, context, kind = error["loc"], error.get("ctx", {}), error["type"]
    if kind == REFUSED:
        return context["message"], context["remedy"]
    if kind == "missing":
        return "is missing", f"Add it: {_meaning(root, location)}"
    if kind == "extra_forbidden":
        return "is not a known key", _known_keys(root, location)
    if kind in _BOUNDS:
        message, remedy = _BOUNDS[kind]
        return message, remedy.format(**context)
    unknown = (error["msg"].lower(), "See the inventory reference for what it may be.")
    return _WANTED.get(kind, unknown)


def _known_keys(root: type[BaseModel], location: Location) -> str:
    known = list(fields_by_key(_section_at(root, location[:-1])))
    # What all of them begin with makes none of them alike.
    rest = {key.removeprefix(_PREFIX): key for key in known}
    close = difflib.get_close_matches(str(location[-1]).removeprefix(_PREFIX), rest, n=1)
    listed = f"Known here: {', '.join(known)}."
    return f"Did you mean {rest[close[0]]}? {listed}" if close else f"Remove it. {listed}"


def _meaning(root: type[BaseModel], location: Location) -> str:
    section = fields_by_key(_section_at(root, location[:-1]))
    field = section.get(str(location[-1]))
    return (field.description if field else None) or "it is required."


def fields_by_key(section: type[BaseModel] | None) -> Mapping[str, Any]:
    """Map the keys of a section, as written in an inventory, to its fields."""
    if section is None:
        return {}
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Find the section that a field holds, whether alone, optional or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (tuple, typing.Union, types.UnionType, typing.Annotated):
        for inner in typing.get_args(annotation):
            if (section := section_of(inner)) is not None:
                return section
    return None


def _section_at(root: type[BaseModel], location: Location) -> type[BaseModel] | None:
    section: type[BaseModel] | None = root
    for step in location:
        if isinstance(step, str):
            field = fields_by_key(section).get(step)
            section = section_of(field.annotation) if field else None
    return section
