# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferencebox.bundle import image, manifest
from inferencebox.bundle.errors import BundleError
from inferencebox.bundle.image import Settings
from inferencebox.bundle.tree import Tree


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for folder in manifest.FOLDERS:
        (tmp_path / folder).mkdir()
    (tmp_path / "charts/base-1.0.tgz").write_text("chart")
    (tmp_path / "manifests/gateway-api-v1").mkdir()
    (tmp_path / "manifests/gateway-api-v1/install.yaml").write_text("---\n")
    tree = Tree()
    tree.text("server", "")
    path = tmp_path / "images/server-1.tar"
    image.write(path, "localhost/a/server:1", tree, Settings(entrypoint=("/server",)), "origin")
    (tmp_path / "images/.other.tar.partial").mkdir()
    (tmp_path / "images/.other.tar.partial/index.json").write_text("{}")
    manifest.write(tmp_path, manifest.describe(tmp_path))
    return tmp_path


def test_manifest_lists_files_and_images(bundle: Path) -> None:
    found = manifest.read(bundle)
    assert [row["path"] for row in found["files"]] == [
        "charts/base-1.0.tgz",
        "images/server-1.tar",
        "manifests/gateway-api-v1/install.yaml",
    ]
    assert found["files"][0]["bytes"] == len("chart")
    (one,) = found["images"]
    archive = image.read(bundle / one["file"])
    assert archive is not None
    assert (one["name"], one["digest"], one["made_from"]) == (
        "localhost/a/server:1",
        archive.digest,
        "origin",
    )
    assert manifest.problems(bundle) == []
    assert manifest.describe(bundle) == found


def test_every_difference_is_named(bundle: Path) -> None:
    (bundle / "charts/base-1.0.tgz").write_text("chalk")
    (bundle / "manifests/gateway-api-v1/install.yaml").write_text("longer than before")
    (bundle / "images/server-1.tar").unlink()
    (bundle / "charts/another-1.0.tgz").write_text("not ours")
    found = manifest.problems(bundle)
    assert [problem.removeprefix(f"{bundle}/").split(" ")[0] for problem in found] == [
        "charts/base-1.0.tgz",
        "images/server-1.tar",
        "manifests/gateway-api-v1/install.yaml",
    ]
    assert "checksum" in found[0]
    assert "missing" in found[1]
    assert "18 bytes, not 4" in found[2]


def test_what_is_no_bundle_is_refused(tmp_path: Path, bundle: Path) -> None:
    with pytest.raises(BundleError, match="holds nothing"):
        manifest.describe(tmp_path / "gone")
    with pytest.raises(BundleError, match="is missing"):
        manifest.read(tmp_path / "gone")
    (bundle / "images/server-1.tar").write_text("broken")
    with pytest.raises(BundleError, match="is no image"):
        manifest.describe(bundle)
    (bundle / manifest.NAME).write_text(json.dumps({"format": 99}))
    with pytest.raises(BundleError, match="another version"):
        manifest.read(bundle)
