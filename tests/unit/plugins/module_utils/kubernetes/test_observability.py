# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dashboards are models that Grafana can show, and every figure they show is recorded or scraped."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import objects

from . import sample

MADE = objects(sample.full(), "observability")


def of_kind(kind: str) -> list[dict[str, Any]]:
    """Objects of one kind."""
    return [found for found in MADE if found["kind"] == kind]


def boards() -> list[dict[str, Any]]:
    """The models of all dashboards."""
    return [
        json.loads(text)
        for found in of_kind("ConfigMap")
        if "grafana_dashboard" in found["metadata"]["labels"]
        for text in found["data"].values()
    ]


def test_a_dashboard_is_the_model_itself() -> None:
    assert len({board["uid"] for board in boards()}) == len(boards()) == 2
    for board in boards():
        assert "dashboard" not in board
        assert len(board["uid"]) <= 40
        assert board["title"]
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert all(panel["targets"] for panel in board["panels"])


def test_no_two_charts_lie_on_each_other() -> None:
    for board in boards():
        cells = [
            (x, y)
            for grid in (panel["gridPos"] for panel in board["panels"])
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24


def test_what_a_chart_asks_for_is_recorded() -> None:
    (rules,) = of_kind("PrometheusRule")
    recorded = {
        rule["record"]
        for group in rules["spec"]["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    asked = {
        name
        for board in boards()
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"[a-z_]+:[a-z_]+:rate5m", target["expr"])
    }
    assert asked <= recorded
    assert recorded <= asked


def test_an_alert_says_what_is_wrong() -> None:
    (rules,) = of_kind("PrometheusRule")
    alerts = [
        rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule
    ]
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        assert alert["annotations"]["summary"].endswith(".")
        assert alert["labels"]["severity"] in ("critical", "warning", "info")


def test_disabled_means_nothing() -> None:
    assert objects(sample.small(), "observability") == []
