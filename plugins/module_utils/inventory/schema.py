# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""JSON Schema of the inventory, so that editors complete and check the YAML."""

from __future__ import annotations

from typing import Any

from .platform import Platform


def json_schema() -> dict[str, Any]:
    """Describe the inventory as JSON Schema (draft 2020-12).

    Every file of an inventory holds a part of the variables, and may hold others for Ansible. So
    nothing is required at the top, and only unknown variables that start with ``platform_`` are
    refused there. What needs more than one value to be seen is left to `load`.

    Returns:
        The schema, ready for JSON.
    """
    schema = Platform.model_json_schema(by_alias=True)
    known = [key.removeprefix("platform_") for key in schema["properties"] if "platform_" in key]
    for key in ("required", "additionalProperties", "description"):
        schema.pop(key, None)
    # Computed when it is left out; an empty path is nobody's default.
    schema["properties"]["platform_home"].pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Inventory of an Inference-in-a-Box platform",
        "type": "object",
        **{key: value for key, value in schema.items() if key not in ("title", "type")},
        "patternProperties": {f"^platform_(?!({'|'.join(sorted(known))})$)": False},
    }
