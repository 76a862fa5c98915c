# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page of the measurement, and how requests are counted."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from bench.cluster import page, requests
from bench.cluster.ways import WAYS


def results(*, quick: bool) -> dict[str, t.Any]:
    figures = {"seconds": 1.5, "objects_per_second": 200.0, "requests_per_object": 1.04}
    runs = [{"way": way.name, "run": run, **figures} for way in WAYS for run in ("first", "again")]
    measured = {"date": "d", "commit": "c", "quick": quick, "cores": 2, "load_before": 0.1}
    versions = {way.name: "1.0" for way in WAYS}
    return {"measured": {**measured, "python": "3", **versions}, "objects": 300, "runs": runs}


TEXT = "before\n<!-- bench: apply -->\nold\n<!-- /bench -->\nafter\n"


def test_each_way_has_a_row_with_its_version() -> None:
    text = page.render(TEXT, results(quick=False))
    for way in WAYS:
        assert f"| {way.title} (1.0) | 1.5 |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("<!-- /bench -->\nafter\n")


def test_a_shortened_run_says_so() -> None:
    assert "figures prove that the harness works" in page.render(TEXT, results(quick=True))


def test_the_page_is_that_of_the_results(root: Path) -> None:
    kept = json.loads(page.RESULTS.read_text()) if page.RESULTS.exists() else None
    text = (root / "docs/applying.md").read_text(encoding="utf-8")
    assert page.render(text, kept) == text
    assert not (kept and kept["measured"]["quick"])


def test_requests_of_others_and_earlier_ones_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    log = tmp_path / "audit.log"

    def write(agent: str, stage: str = "ResponseComplete") -> None:
        with log.open("a") as file:
            file.write(json.dumps({"stage": stage, "userAgent": agent}) + "\n")

    write("kubectl/v1")
    counted = requests.Requests(log)
    counted.skip()
    write("kubectl/v1")
    write("kubectl/v1", stage="ResponseStarted")
    write("kube-controller-manager/v1")
    assert counted.count("kubectl") == 1
