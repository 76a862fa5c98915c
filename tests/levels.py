# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far each feature of the kubernetes target is proven: a table in the docs, written from tests that passed.

A test says what it proves with ``@pytest.mark.proves("L2", "models")``. `make levels` runs the tests and writes the table:
a cell is filled when a test that proves it passed and none of those was skipped or failed. Where not all files with a test
of a cell ran whole, the cell stays as it was.
"""

from __future__ import annotations

import ast
import functools
import re
import typing as t
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs/kubernetes.md"
_BEGIN, _END = "<!-- levels -->", "<!-- /levels -->"
LEVELS = ("L0", "L1", "L2", "L3", "L4")
# A level and a feature.
Cell = tuple[str, str]


@dataclass(frozen=True)
class Feature:
    """One row.

    Attributes:
        title: What it is, as the docs say it.
        unproven: What is not proven of it, and why.
    """

    title: str
    unproven: str


_NO_IMAGES = "on a node: its images are not put together"
FEATURES: t.Mapping[str, Feature] = {
    "tenants": Feature(
        "tenants: namespaces, quota, roles, network and mesh policies",
        "that packets are dropped: no network plugin with policies runs in the tests or on a node of plain binaries",
    ),
    "admission": Feature("admission policies", ""),
    "models": Feature(
        "models in mode `standard`: runtimes, replicas, HPA, transformer, canary, mirror",
        "replicas added on a node; files from stores other than those of S3 and HTTPS",
    ),
    "keda": Feature(
        "models scaled by KEDA",
        "KEDA's chart, and its webhooks, which a node does without",
    ),
    "knative": Feature(
        "models in mode `knative`",
        "net-istio, which is in no Go module: on a node, a controller of the project's own does its work",
    ),
    "llm-d": Feature(
        "models on `llm-d`", f"the route to the InferencePool, the scheduler, {_NO_IMAGES}"
    ),
    "tier1": Feature(
        "tier 1 run by Envoy Gateway: Gateway, routes of KServe's protocols, policies, backends",
        "limits on what tier 1 answers itself, which it does not count; Valkey, for which a node has Redis",
    ),
    "tier1-ai": Feature(
        "tier 1's AI routes run by the AI Gateway's controller",
        "the release of the train, of which the module proxy has an earlier one; providers",
    ),
    "tier1-standalone": Feature(
        "tier 1 without controller: identities, models, limits, protocols, fallback",
        "limits on what tier 1 answers itself, which it does not count",
    ),
    "tier2": Feature(
        "tier 2: identity, tenants, weights, cohorts, mirror, mutual TLS to models",
        "metrics of Istio's own Envoy: upstream's lacks its extensions",
    ),
    "certificates": Feature("certificates", "renewal"),
    "observability": Feature(
        "monitors, rules, dashboards, tracing",
        "dashboards in Grafana, which is not on a node; whom Alertmanager tells; traces of a tier 1 with controller",
    ),
    "apply": Feature("applying, waiting, pruning, drift", ""),
}


class Record:
    """What tests of this run proved."""

    def __init__(self) -> None:
        self._passed: set[Cell] = set()
        self._not: set[Cell] = set()

    def add(self, level: str, features: Collection[str], *, passed: bool) -> None:
        """Note how a test ended."""
        rows = {(level, feature) for feature in features}
        (self._passed if passed else self._not).update(rows)

    def proven(self, level: str, feature: str) -> bool:
        """Whether a test proved it, and none that would failed or was left out."""
        return (level, feature) in self._passed - self._not


@functools.cache
def marked() -> Mapping[Cell, set[Path]]:
    """Find the files that hold tests of each cell; a list of features counts with all lists of its file."""
    found: dict[Cell, set[Path]] = {}
    for path in TESTS.rglob("test_*.py"):
        for cell in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(cell, set()).add(path)
    return found


def _marks(tree: ast.Module) -> Iterator[Cell]:
    lists = {
        str(element.value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.List, ast.Tuple))
        for element in node.elts
        if isinstance(element, ast.Constant) and element.value in FEATURES
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves":
            level, *features = node.args
            for one in features:
                named = lists if isinstance(one, ast.Starred) else {ast.literal_eval(one)}
                yield from ((ast.literal_eval(level), each) for each in named)


def claimed(page: str) -> set[Cell]:
    """Read which cells of a page's table are filled."""
    titles = {feature.title: key for key, feature in FEATURES.items()}
    found = set()
    for line in page.splitlines():
        title, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        if title in titles:
            filled = zip(LEVELS, cells, strict=False)
            found |= {(level, titles[title]) for level, cell in filled if cell}
    return found


def judged(record: Record, ran: Collection[Path], before: Collection[Cell]) -> set[Cell]:
    """Say which cells are filled after a run.

    Args:
        record: What its tests proved.
        ran: Test files that ran whole.
        before: Cells that were filled before it.
    """
    files = marked()
    cells = {(level, feature) for level in LEVELS for feature in FEATURES}
    return {
        cell
        for cell in cells
        if (record.proven(*cell) if files.get(cell, set()) <= set(ran) else cell in before)
    }


def table(filled: Collection[Cell]) -> str:
    """Write the table as Markdown. L0 holds for every feature: golden files have all objects."""
    head = ["feature", *LEVELS, "not proven"]
    rows = [head, ["---"] * len(head)]
    for key, feature in FEATURES.items():
        cells = ["yes" if lv == "L0" or (lv, key) in filled else "" for lv in LEVELS]
        rows.append([feature.title, *cells, feature.unproven])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write(record: Record, ran: Collection[Path]) -> None:
    """Put the table into the page.

    Args:
        record: What tests proved.
        ran: Test files that ran whole.
    """
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    assert pattern.search(text), f"{PAGE} has no place for the table"
    made = f"{_BEGIN}\n\n{table(judged(record, ran, claimed(text)))}\n{_END}"
    PAGE.write_text(pattern.sub(lambda _: made, text), encoding="utf-8")
