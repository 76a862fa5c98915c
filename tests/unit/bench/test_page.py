# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page is what the results say, and its tables are calculated as it explains."""

from __future__ import annotations

import typing as t

import pytest

from bench import page

Json = dict[str, t.Any]


def _cell(way: str, p50: list[float]) -> Json:
    columns = {"p50_ms": p50, "p99_ms": [one * 2 for one in p50], "rps": [100.0] * len(p50)}
    return {"request": "ready", "connections": 1, "way": way, **columns, "answers": 9, "failed": 0}


def _table(name: str, results: Json) -> list[list[str]]:
    text = page.render(f"<!-- bench: {name} -->\n<!-- /bench -->\n", results)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_agrees_with_the_results() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.render(text, page.read_results()) == text


def test_every_table_has_a_place_on_the_page() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert all(f"<!-- bench: {name} -->" in text for name in page.TABLES)


def test_what_a_way_adds_is_the_median_of_the_differences_within_rounds() -> None:
    cells = [
        _cell("direct", [1.0, 5.0, 1.0]),  # the second round met a busy machine, on all ways
        _cell("plain", [1.2, 5.2, 1.2]),
        _cell("both", [1.5, 5.6, 1.9]),
    ]
    measured = {"quick": False, "date": "2026-01-01", "commit": "abc", "cores": 2, "cpu": "some"}
    measured |= {"memory_gib": 8, "system": "some", "kernel": "6", "load_before": 0.1}
    rows = _table("closed", {"latency": {"measured": measured, "closed": cells}})
    added = {row[2]: (row[4], row[6]) for row in rows}
    assert added["model server directly"] == ("", "")
    assert added["plain Envoy"] == ("+0.20", "+0.40")
    assert added["both tiers"] == ("+0.60", "+1.20")


def test_phases_of_two_starts_stand_side_by_side() -> None:
    measured = {"quick": True, "date": "2026-01-01", "commit": "abc", "cores": 2, "cpu": "some"}
    measured |= {"memory_gib": 8, "system": "some", "kernel": "6", "load_before": 0.1}
    runs = [
        {
            "caches": caches,
            "seconds": seconds,
            "again": seconds / 10,
            "phases": [
                {"name": f"installing {packages} packages for the driver set", "seconds": seconds}
            ],
        }
        for caches, seconds, packages in (("cold", 50.0, 41), ("warm", 10.0, 42))
    ]
    rows = _table("start", {"start": {"measured": measured, "runs": runs}})
    assert rows == [
        ["install the driver", "50.0", "10.0"],
        ["**clone to first token**", "**50.0**", "**10.0**"],
        ["a second `make up`", "5.0", "1.0"],
    ]


def test_a_table_without_results_says_so() -> None:
    text = page.render("<!-- bench: memory -->\n<!-- /bench -->\n", {})
    assert "Not measured yet" in text


def test_a_table_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        page.render("<!-- bench: speed -->\n<!-- /bench -->\n", {})


def test_rendering_again_changes_nothing() -> None:
    once = page.render(page.PAGE.read_text(encoding="utf-8"), page.read_results())
    assert page.render(once, page.read_results()) == once
