# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies by the real skopeo, from an archive that stands where a registry would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inferencebox.bundle import image, registry
from inferencebox.bundle.errors import BundleError
from inferencebox.bundle.image import Settings
from inferencebox.bundle.tree import Tree

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
NAME = "registry.example.org/mirror/server:1"


def published(directory: Path, content: str) -> str:
    tree = Tree()
    tree.text("server", content)
    path = directory / "published.tar"
    image.write(path, "docker.io/team/server:1", tree, Settings(entrypoint=("/server",)))
    return f"oci-archive:{path}"


@needs_skopeo
def test_copy_has_the_content_under_another_name(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    reference = published(tmp_path, "content")
    copied = registry.copy(images / "server.tar", NAME, reference, "published:there")
    assert image.read(images / "server.tar") == copied
    assert (copied.name, copied.made_from) == (NAME, "published:there")
    assert [path.name for path in images.iterdir()] == ["server.tar"]


@needs_skopeo
def test_what_an_earlier_attempt_left_is_used_or_dropped(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    first = registry.copy(images / "a.tar", NAME, published(tmp_path, "same"), "")
    left = images / ".b.tar.partial/blobs/sha256"
    left.mkdir(parents=True)
    (left / ("0" * 64)).write_text("a layer of another version")
    second = registry.copy(images / "b.tar", NAME, published(tmp_path, "same"), "")
    assert second == first
    assert (images / "a.tar").read_bytes() == (images / "b.tar").read_bytes()


@needs_skopeo
def test_failure_says_what_skopeo_said_and_leaves_no_archive(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="gone.tar"):
        registry.copy(tmp_path / "a.tar", NAME, f"oci-archive:{tmp_path}/gone.tar", "")
    assert not (tmp_path / "a.tar").exists()


def test_missing_skopeo_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match="install Debian's package skopeo"):
        registry.copy(tmp_path / "a.tar", NAME, "docker://registry.example.org/a:1", "")
