# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Grafana dashboards as data: the model itself, as Grafana's sidecar wants it, not wrapped for its API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .objects import Object

# https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
_SCHEMA_VERSION = 39
# Grafana's grid is 24 columns wide.
_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
_SOURCE: Object = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: What it shows.
        queries: PromQL, and the legend of its lines with labels in double braces.
        unit: Grafana's name of the unit.
    """

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str


def dashboard(
    uid: str, title: str, panels: Sequence[Panel], variables: Sequence[tuple[str, str]] = ()
) -> Object:
    """Build a dashboard.

    Args:
        uid: Its identity; 40 characters at most.
        title: Its title.
        panels: Charts, two in a row.
        variables: Names of variables, each with the PromQL ``label_values`` it is filled from.
    """
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
    return {
        "uid": uid,
        "title": title,
        "tags": ["inferencebox"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source, *(_variable(name, query) for name, query in variables)]},
        "panels": [_panel(place, panel) for place, panel in enumerate(panels)],
    }


def _variable(name: str, query: str) -> Object:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panel(place: int, panel: Panel) -> Object:
    row, column = divmod(place, _COLUMNS)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + n),
                "datasource": _SOURCE,
                "expr": expr,
                "legendFormat": legend,
            }
            for n, (expr, legend) in enumerate(panel.queries)
        ],
    }
