# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of docs/applying.md, made from bench/results/apply.json; the words around it are the page's own."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from bench.cluster.ways import WAYS, Nothing

_ROOT = Path(__file__).resolve().parents[2]
RESULTS = _ROOT / "bench/results/apply.json"
PAGE = _ROOT / "docs/applying.md"
_PLACE = re.compile(r"(<!-- bench: apply -->\n).*?(<!-- /bench -->)", re.DOTALL)
_QUICK = "**A shortened run: these figures prove that the harness works and nothing else.**\n\n"


def write() -> None:
    """Write the page anew from the results."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else None
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def render(text: str, results: dict[str, t.Any] | None) -> str:
    """Fill the place of the table; without results it says so."""
    table = _table(results) if results else "*Not measured yet.*\n"
    return _PLACE.sub(lambda place: f"{place[1]}\n{table}\n{place[2]}", text)


def _table(results: dict[str, t.Any]) -> str:
    measured = results["measured"]
    runs = {(row["way"], row["run"]): row for row in results["runs"]}
    lines = [
        "| | first run, s | objects/s | requests/object | second run, s | requests/object |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for way in WAYS:
        first, again = runs[way.name, "first"], runs[way.name, "again"]
        cells = [f"{way.title} ({measured[way.name]})", first["seconds"]]
        cells += [first["objects_per_second"], first["requests_per_object"]]
        cells += [again["seconds"], again["requests_per_object"]]
        if isinstance(way, Nothing):
            cells[2] = cells[3] = cells[5] = ""
        lines.append(f"| {' | '.join(map(str, cells))} |")
    note = _QUICK if measured["quick"] else ""
    facts = (
        f"{results['objects']} objects. Measured {measured['date']} at {measured['commit']} on "
        f"{measured['cores']} cores that the API server and etcd shared with the client, load before the run "
        f"{measured['load_before']}, Python {measured['python']}."
    )
    return f"{note}{facts}\n\n" + "\n".join(lines) + "\n"
