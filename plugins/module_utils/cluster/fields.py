# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of a live object that one field manager applied.

The API server remembers for each field who set it. What others set beside us, a controller's replica count or a
default, is theirs and neither a change nor drift.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def applied(live: Mapping[str, Any], manager: str) -> dict[str, Any] | None:
    """Reduce a live object to the fields that a manager applied.

    Args:
        live: Object with its ``metadata.managedFields``.
        manager: Name of the field manager.

    Returns:
        The object with its identity and those fields only; None where the manager never applied it.
    """
    entries = live.get("metadata", {}).get("managedFields") or []
    for entry in entries:
        if entry.get("manager") == manager and entry.get("operation") == "Apply":
            if entry.get("subresource"):
                continue
            reduced = _reduce(live, entry.get("fieldsV1") or {})
            identity = {key: live[key] for key in ("apiVersion", "kind") if key in live}
            metadata = {
                key: live["metadata"][key]
                for key in ("name", "namespace")
                if key in live["metadata"]
            }
            return {**identity, **reduced, "metadata": {**metadata, **reduced.get("metadata", {})}}
    return None


def is_applied(live: Mapping[str, Any], manager: str) -> bool:
    """Tell whether a manager applied this object; copies that controllers make of its labels are not."""
    entries = live.get("metadata", {}).get("managedFields") or []
    return any(e.get("manager") == manager and e.get("operation") == "Apply" for e in entries)


def _reduce(value: Any, fields: Mapping[str, Any]) -> Any:
    """Keep what a FieldsV1 set names; an empty set stands for all that is below."""
    if not fields:
        return value
    if isinstance(value, Mapping):
        return {
            name[2:]: _reduce(value[name[2:]], below)
            for name, below in fields.items()
            if name.startswith("f:") and name[2:] in value
        }
    if isinstance(value, list):
        # In the list's own order, which is the one that was applied.
        kept = [(item, below) for item in value if (below := _of_item(item, fields)) is not None]
        return [_reduce(item, below) for item, below in kept]
    return value


def _of_item(item: Any, fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a set says of one item of a list, found by its keys (``k:``) or its value (``v:``)."""
    for name, below in fields.items():
        if name.startswith("v:") and json.loads(name[2:]) == item:
            return dict(below)
        if name.startswith("k:") and isinstance(item, Mapping):
            keys = json.loads(name[2:])
            if all(item.get(key) == value for key, value in keys.items()):
                return dict(below)
    return None
