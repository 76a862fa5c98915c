# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from inferencebox.serving.artifact import find_model_file
from inferencebox.serving.errors import LoadError

_SUFFIXES = (".joblib", ".pkl")


def _find(artifact: Path) -> Path:
    return find_model_file(artifact, _SUFFIXES, "scikit-learn")


def _with(place: Path, *names: str) -> Path:
    for name in names:
        (place / name).touch()
    return place


def test_a_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    file = _with(tmp_path, "weights") / "weights"
    assert _find(file) == file


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["one.joblib"], "one.joblib"),
        (["one.pkl", "README.md", "example.json"], "one.pkl"),
        (["model.pkl", "scaler.pkl"], "model.pkl"),
        (["model.joblib", "a.joblib", "b.pkl"], "model.joblib"),
    ],
)
def test_the_one_model_file_of_a_directory(tmp_path: Path, names: list[str], found: str) -> None:
    assert _find(_with(tmp_path, *names)) == tmp_path / found


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "holds no scikit-learn model file (*.joblib, *.pkl), but nothing"),
        (["model.txt"], "holds no scikit-learn model file (*.joblib, *.pkl), but model.txt"),
        (["b.pkl", "a.pkl"], "holds more than one scikit-learn model file"),
        (["model.pkl", "model.joblib"], "more than one scikit-learn model file"),
        (["model.PKL"], "but model.PKL"),
        ([f"{n}.txt" for n in range(9)], "4.txt and 4 more"),
    ],
)
def test_what_is_there_instead_is_said(tmp_path: Path, names: list[str], said: str) -> None:
    with pytest.raises(LoadError, match=re.escape(said)):
        _find(_with(tmp_path, *names))


def test_a_directory_is_no_model_file(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").mkdir()
    with pytest.raises(LoadError, match="but nothing"):
        _find(tmp_path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=f"{tmp_path}/gone does not exist"):
        _find(tmp_path / "gone")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(LoadError, match="may not be read by this user"):
        _find(closed)
