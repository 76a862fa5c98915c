# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps of playbooks/bundle.yml, on a bundle whose one program is a file."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from inferencebox.bundle import image
from inferencebox.bundle.__main__ import main


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs/pause").write_bytes(b"\x7fELF pause")
    (tmp_path / "programs/pause").chmod(0o755)
    return tmp_path


def step(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, t.Any]:
    assert main(words) == 0, capsys.readouterr().err
    found: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return found


def build(capsys: pytest.CaptureFixture[str], bundle: Path, name: str) -> dict[str, t.Any]:
    words = ["image", "--name", name, "--file", "pause.tar", "--repository", "pause"]
    return step(capsys, *words, "--bundle", str(bundle))


def test_image_is_built_when_something_of_it_changes(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "localhost/inferencebox/pause:1"
    first = build(capsys, bundle, name)
    assert (first["changed"], first["name"]) == (True, name)
    assert build(capsys, bundle, name) == {**first, "changed": False}
    # Another name, other content, and a file that somebody broke.
    assert build(capsys, bundle, f"{name}.1")["changed"]
    (bundle / "programs/pause").write_bytes(b"\x7fELF another")
    assert build(capsys, bundle, f"{name}.1")["digest"] != first["digest"]
    (bundle / "images/pause.tar").write_bytes(b"broken")
    assert build(capsys, bundle, f"{name}.1")["changed"]
    assert [path.name for path in (bundle / "images").iterdir()] == ["pause.tar"]


def test_bundle_is_described_anew_when_something_changed(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The file is no program of Go, which could tell what it is made of.
    monkeypatch.setattr("inferencebox.bundle.sbom._modules", lambda _: iter(()))
    build(capsys, bundle, "localhost/inferencebox/pause:1")
    into = ("--bundle", str(bundle))
    described = step(capsys, "describe", *into)
    assert (described["changed"], described["files"]) == (True, 2)
    assert not step(capsys, "describe", *into)["changed"]
    (bundle / "programs/more").write_text("")
    assert step(capsys, "describe", *into)["files"] == 3


def test_missing_part_is_said_and_nothing_is_left(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "programs/pause").unlink()
    words = ["image", "--name", "a/b:1", "--file", "p.tar", "--repository", "pause"]
    assert main([*words, "--bundle", str(bundle)]) == 1
    assert "has no program pause" in capsys.readouterr().err
    assert image.read(bundle / "images/p.tar") is None


def test_image_is_either_copied_or_built(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["image", "--name", "a", "--file", "b", "--bundle", "/nowhere"])
    assert "--published --repository" in capsys.readouterr().err
