# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inferencebox.bundle import debian


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs dpkg")
def test_files_are_those_of_their_packages(tmp_path: Path) -> None:
    own = tmp_path / "file"
    own.touch()
    loader = next(Path("/lib").glob("*-linux-gnu/libc.so.6"))
    found = debian.packages([Path("/bin/dash"), Path("/usr/bin/env"), loader, own])
    assert [one.partition("=")[0] for one in found] == ["coreutils", "dash", "libc6"]
    assert all(one.partition("=")[2] for one in found)
    assert debian.packages([own]) == []


def test_other_distributions_have_no_packages_of_debian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert debian.packages([Path("/bin/sh")]) == []
