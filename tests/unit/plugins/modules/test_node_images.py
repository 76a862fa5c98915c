# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.modules import node_images

from .conftest import Run

# What ctr does with these words, for a test: the list of images lies in a file.
_CTR = """\
#!/bin/sh
case "$5 $6" in
  "version ") exit 0 ;;
  "images list") cat "${0%/*}/list" ;;
  "images import") echo "$7" >> "${0%/*}/imported" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"""
_HEAD = "REF TYPE DIGEST SIZE PLATFORMS LABELS\n"


def archive(path: Path, image: str, digest: str) -> None:
    manifest = {"digest": digest, "annotations": {"io.containerd.image.name": image}}
    content = json.dumps({"manifests": [manifest]}).encode()
    member = tarfile.TarInfo("index.json")
    member.size = len(content)
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as file:
        file.addfile(member, io.BytesIO(content))


def runtime(folder: Path, images: str) -> dict[str, str]:
    ctr = folder / "ctr"
    ctr.write_text(_CTR)
    ctr.chmod(0o755)
    (folder / "list").write_text(_HEAD + images)
    (folder / "socket").touch()
    return {"ctr": str(ctr), "socket": str(folder / "socket"), "directory": str(folder / "images")}


def test_what_is_missing_or_another_one_is_imported(run: Run, tmp_path: Path) -> None:
    archive(tmp_path / "images/a.tar", "example.org/a:1", "sha256:a")
    archive(tmp_path / "images/b.tar", "example.org/b:1", "sha256:b")
    archive(tmp_path / "images/c.tar", "example.org/c:1", "sha256:c")
    known = "example.org/a:1 type sha256:a 1 - -\nexample.org/b:1 type sha256:old 1 - -\n"
    given = runtime(tmp_path, known)
    foretold = run(node_images, check=True, **given)
    assert foretold["imported"] == ["example.org/b:1", "example.org/c:1"]
    assert not (tmp_path / "imported").exists()
    assert run(node_images, **given)["imported"] == foretold["imported"]
    imported = (tmp_path / "imported").read_text().split()
    assert imported == [str(tmp_path / "images/b.tar"), str(tmp_path / "images/c.tar")]


def test_nothing_to_do(run: Run, tmp_path: Path) -> None:
    archive(tmp_path / "images/a.tar", "example.org/a:1", "sha256:a")
    given = runtime(tmp_path, "example.org/a:1 type sha256:a 1 - -\n")
    assert run(node_images, **given)["changed"] is False


def test_before_there_is_a_node_check_mode_foretells_all(run: Run, tmp_path: Path) -> None:
    archive(tmp_path / "images/a.tar", "example.org/a:1", "sha256:a")
    given = {**runtime(tmp_path, ""), "socket": str(tmp_path / "none")}
    assert run(node_images, check=True, **given)["imported"] == ["example.org/a:1"]


def test_a_file_that_is_no_archive_is_named(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "images/wrong.tar"
    wrong.parent.mkdir()
    wrong.write_text("no archive")
    result = run(node_images, **runtime(tmp_path, ""))
    assert result["failed"] is True
    assert f"{wrong} is no archive of one named image" in result["msg"]
