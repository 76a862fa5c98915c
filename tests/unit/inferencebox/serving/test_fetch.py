# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path

import pytest

from inferencebox.serving.errors import LoadError
from inferencebox.serving.fetch import fetch
from inferencebox.serving.pod import main

IRIS = "python://inferencebox_samples/iris"


def test_directory_of_a_package_is_copied(tmp_path: Path) -> None:
    target = tmp_path / "mnt/models"
    assert main(["fetch", IRIS, str(target)]) == 0
    assert {file.name for file in target.iterdir()} >= {"model.joblib", "example.json"}
    # Once more, over what is there: a container that starts again does the same.
    assert main(["fetch", IRIS, str(target)]) == 0


def test_volume_keeps_its_own_mode(tmp_path: Path) -> None:
    # Of a pod's volume, this user owns the files and not the directory.
    tmp_path.chmod(0o2770)
    fetch(IRIS, tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == 0o2770


def test_file_of_a_package_keeps_its_name(tmp_path: Path) -> None:
    fetch(f"{IRIS}/example.json", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["example.json"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://example.org/model", "does not name a package"),
        ("python://", "does not name a package"),
        ("python://inferencebox_samples/../inferencebox", "does not name a package"),
        ("python://no_such_package/model", "no package no_such_package"),
        ("python://inferencebox_samples/gone", "holds no gone"),
    ],
)
def test_source_that_cannot_be_had_is_refused(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        fetch(source, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_error_is_one_line_and_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "python://no_such_package/model", str(tmp_path)]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
