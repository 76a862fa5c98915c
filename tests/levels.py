# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far each feature of the kubernetes target is proven: a table in the docs, written from tests that passed.

A test says what it proves with ``@pytest.mark.proves("L2", "models")``. `make levels` runs the tests and writes the table:
a cell is filled when a test that proves it passed and none of those was skipped or failed.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/kubernetes.md"
_BEGIN, _END = "<!-- levels -->", "<!-- /levels -->"
LEVELS = ("L0", "L1", "L2", "L3", "L4")


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
        "replicas added on a node; files from stores other than those of HTTPS",
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
        f"limits of the global rate limit service, requests, {_NO_IMAGES}",
    ),
    "tier1-ai": Feature(
        "tier 1's AI routes run by the AI Gateway's controller",
        "reconciling: the controller is in no Go module",
    ),
    "tier1-standalone": Feature(
        "tier 1 without controller: identities, models, limits, protocols, fallback",
        "API keys and limits in its pod",
    ),
    "tier2": Feature(
        "tier 2: identity, tenants, weights, cohorts, mirror, mutual TLS to models",
        "metrics of Istio's own Envoy: upstream's lacks its extensions",
    ),
    "certificates": Feature("certificates", "renewal"),
    "observability": Feature(
        "monitors, rules, dashboards, tracing",
        "dashboards in Grafana, alerts sent by Alertmanager, the collector: on a node, they are not there",
    ),
    "apply": Feature("applying, waiting, pruning, drift", ""),
}


class Record:
    """What tests of this run proved."""

    def __init__(self) -> None:
        self._passed: set[tuple[str, str]] = set()
        self._not: set[tuple[str, str]] = set()

    def add(self, level: str, features: Collection[str], *, passed: bool) -> None:
        """Note how a test ended."""
        rows = {(level, feature) for feature in features}
        (self._passed if passed else self._not).update(rows)

    def proven(self, level: str, feature: str) -> bool:
        """Whether a test proved it, and none that would failed or was left out."""
        return (level, feature) in self._passed - self._not


def table(record: Record) -> str:
    """Write the table as Markdown. L0 holds for every feature: golden files have all objects."""
    head = ["feature", *LEVELS, "not proven"]
    rows = [head, ["---"] * len(head)]
    for key, feature in FEATURES.items():
        cells = ["yes" if lv == "L0" or record.proven(lv, key) else "" for lv in LEVELS]
        rows.append([feature.title, *cells, feature.unproven])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write(record: Record) -> None:
    """Put the table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    assert pattern.search(text), f"{PAGE} has no place for the table"
    made = f"{_BEGIN}\n\n{table(record)}\n{_END}"
    PAGE.write_text(pattern.sub(lambda _: made, text), encoding="utf-8")
