# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from inferencebox.bundle import manifest
from inferencebox.cli import bundle
from inferencebox.cli._runner import Outcome

from .conftest import Cli


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts/base-1.0.tgz").write_text("chart")
    manifest.write(tmp_path, manifest.describe(tmp_path))
    return tmp_path


def test_fill_runs_the_playbook_for_an_inventory(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, t.Any]]] = []

    def run(name: str, **options: t.Any) -> Outcome:
        asked.append((name, options))
        return Outcome(changed=2, seconds=3.21)

    monkeypatch.setattr(bundle, "run_playbook", run)
    result = cli("bundle", "fill", str(filled), "-i", "inventories/mine", "-e", "a=1")
    assert (result.code, result.out) == (0, "filled, 1 files, 0.0 GiB, 3.2 s\n")
    ((name, options),) = asked
    assert (name, options["inventory"]) == ("bundle", "inventories/mine")
    assert options["options"] == ["-e", "a=1", "-e", json.dumps({"platform_bundle": str(filled)})]


def test_check_names_every_file_that_is_another(cli: Cli, filled: Path) -> None:
    result = cli("bundle", "check", str(filled))
    assert (result.code, result.out) == (0, "1 files are as they were made\n")
    (filled / "charts/base-1.0.tgz").write_text("chalk")
    result = cli("bundle", "check", str(filled))
    assert result.code == 1
    assert "charts/base-1.0.tgz" in result.err


def test_what_is_no_bundle_is_refused(cli: Cli, tmp_path: Path) -> None:
    result = cli("bundle", "check", str(tmp_path))
    assert result.code == 1
    assert "bundle.json is missing" in result.err
