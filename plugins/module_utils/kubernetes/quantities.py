# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Amounts as Kubernetes writes them."""

from __future__ import annotations

from ..inventory.models import ModelResources

_UNITS = ((2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki"))

# How an NVIDIA device plugin names its GPUs to the scheduler.
GPU = "nvidia.com/gpu"


def cores(value: float) -> str:
    """Write processor cores: 2.0 becomes "2", 0.5 becomes "500m"."""
    thousandths = round(value * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def memory(value: int) -> str:
    """Write bytes with the largest binary unit that leaves no rest: 2147483648 becomes "2Gi"."""
    for size, unit in _UNITS:
        if value % size == 0:
            return f"{value // size}{unit}"
    return str(value)


def duration(seconds: float) -> str:
    """Write a time as the Gateway API does: 0.5 becomes "500ms", 300.0 becomes "300s"."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def resources(asked: ModelResources) -> dict[str, dict[str, str]]:
    """Requests and limits of one container: both the same, so that nobody borrows a neighbour's share."""
    amounts = {"cpu": cores(asked.cpu)}
    if asked.memory is not None:
        amounts["memory"] = memory(asked.memory)
    if asked.gpu:
        amounts[GPU] = str(asked.gpu)
    return {"requests": dict(amounts), "limits": dict(amounts)}
