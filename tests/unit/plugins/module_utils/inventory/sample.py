# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A valid inventory, and a way to break it in one place."""

from __future__ import annotations

import copy
import re
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    Problem,
    load,
)

VALID: dict[str, Any] = {
    "platform_name": "demo",
    "platform_target": "local",
    "platform_home": "/srv/demo",
    "tenants": [
        {
            "name": "tenant-a",
            "models": {"allow": ["iris", "tenant-b/chatty"]},
            "limits": {"requests_per_minute": 600},
            "resources": {"cpu": "2", "memory": "2Gi", "pods": 2},
        },
        {"name": "tenant-b", "models": {"allow": ["chatty"]}},
    ],
    "models": [
        {
            "name": "iris",
            "tenant": "tenant-a",
            "framework": "sklearn",
            "source": "python://samples/iris",
            "serving": {"replicas": {"min": 2}, "resources": {"cpu": "500m", "memory": "1Gi"}},
            "publish": {"example": {"instances": [[5.1, 3.5, 1.4, 0.2]]}},
        },
        {
            "name": "chatty",
            "tenant": "tenant-b",
            "framework": "llm",
            "source": "hf://owner/repository@main/model.gguf",
        },
    ],
}

# As a value for `changed`: take the key out.
REMOVED: Any = object()


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """Copy the valid inventory with other values at some paths.

    Args:
        changes: Paths such as "tenants[0].name", and what to put there. Sections that are not
            there are made; an index after the last entry adds one.
    """
    data = copy.deepcopy(VALID)
    for path, value in changes.items():
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
        holder: Any = data
        for step in steps[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(step, str) else holder[step]
        last: Any = steps[-1]
        if value is REMOVED:
            del holder[last]
        elif isinstance(last, int) and last == len(holder):
            holder.append(copy.deepcopy(value))
        else:
            # Copied, because a later path may lead into it.
            holder[last] = copy.deepcopy(value)
    return data


def problems(raw: dict[str, Any], **options: bool) -> dict[str, Problem]:
    """Load a faulty inventory.

    Returns:
        What is wrong with it, by path; empty for a valid one.
    """
    found: tuple[Problem, ...] = ()
    try:
        load(raw, **options)
    except InventoryError as error:
        found = error.problems
    by_path = {problem.path: problem for problem in found}
    assert len(by_path) == len(found), f"one place is blamed twice: {found}"
    return by_path
