# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures of one round: percentiles of what was measured, none of it thrown away."""

from __future__ import annotations

import json
import statistics
import typing as t
from collections.abc import Sequence

Json = dict[str, t.Any]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the sorted values lie: nearest rank, no interpolation."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def of_round(milliseconds: Sequence[float], seconds: float, failed: int) -> Json:
    """One round's row: {p50_ms, p99_ms, rps, answers, failed}."""
    return {
        "p50_ms": round(percentile(milliseconds, 0.50), 3),
        "p99_ms": round(percentile(milliseconds, 0.99), 3),
        "rps": round(len(milliseconds) / seconds, 1),
        "answers": len(milliseconds),
        "failed": failed,
    }


def joined(rounds: Sequence[Json]) -> Json:
    """Rows of rounds as one of columns; answers and failures are summed."""
    columns: Json = {key: [one[key] for one in rounds] for key in ("p50_ms", "p99_ms", "rps")}
    return {**columns, **{key: sum(one[key] for one in rounds) for key in ("answers", "failed")}}


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def differences(later: Sequence[float], earlier: Sequence[float]) -> list[float]:
    """Differences within each round."""
    return [one - other for one, other in zip(later, earlier, strict=True)]


def as_text(results: Json) -> str:
    """Results as JSON in which each row is a line, so that a change of one figure is a change of one line."""
    parts = []
    for key, value in results.items():
        if isinstance(value, list):
            text = "[\n  " + ",\n  ".join(json.dumps(row) for row in value) + "\n ]"
        else:
            text = json.dumps(value)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
