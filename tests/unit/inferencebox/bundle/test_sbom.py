# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import platform
import shutil
import typing as t
from pathlib import Path

import pytest

from inferencebox.bundle import sbom
from inferencebox.bundle.errors import BundleError
from inferencebox.bundle.recipes import Parts

_ROOT = Path(__file__).resolve().parents[4]
_DIGEST = "0" * 64


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    (tmp_path / "programs").mkdir()
    return Parts(
        programs=tmp_path / "programs",
        bootstrap=lambda: tmp_path / "bootstrap.json",
        fetcher=lambda: tmp_path / "initializer-entrypoint",
        requirements=_ROOT / "requirements",
        sources=_ROOT / "src",
        uv="uv",
    )


def written(tmp_path: Path, parts: Parts, *images: tuple[str, str]) -> dict[str, t.Any]:
    described = {
        "files": [{"path": "charts/kserve-crd-v1.2.3.tgz", "bytes": 1, "sha256": _DIGEST}],
        "images": [
            {
                "name": name,
                "file": "",
                "digest": f"sha256:{_DIGEST}",
                "made_from": made_from,
                "packages": ["libc6=2.36-9"],
            }
            for name, made_from in images
        ],
    }
    sbom.write(tmp_path / "sbom.json", described, parts)
    found: dict[str, t.Any] = json.loads((tmp_path / "sbom.json").read_text())
    return found


def packages(found: dict[str, t.Any], image: str) -> set[str]:
    """What an image depends on."""
    (row,) = (row for row in found["dependencies"] if row["ref"] == image)
    return set(row.get("dependsOn", ()))


def test_copied_images_and_charts_are_named_with_their_digests(
    tmp_path: Path, parts: Parts
) -> None:
    name = "registry.example.org/mirror/istio/pilot:1.2.3"
    found = written(tmp_path, parts, (name, "published:docker.io/istio/pilot:1.2.3"))
    assert found["bomFormat"] == "CycloneDX"
    rows = {row["bom-ref"]: row for row in found["components"]}
    assert set(rows) == {name, "pkg:helm/kserve-crd@v1.2.3"}
    assert rows[name]["hashes"] == [{"alg": "SHA-256", "content": _DIGEST}]
    # What is in it, its project knows.
    assert packages(found, name) == set()
    assert packages(found, "bundle") == set(rows)


def test_packages_of_a_built_image_are_those_of_its_requirements(
    tmp_path: Path, parts: Parts
) -> None:
    name = "localhost/inferencebox/runtime:0.1.0"
    found = packages(written(tmp_path, parts, (name, "built:inferencebox/runtime@sha256:1")), name)
    pinned = (_ROOT / "requirements/serving.txt").read_text()
    kserve = next(line for line in pinned.splitlines() if line.startswith("kserve=="))
    assert f"pkg:pypi/{kserve.split()[0].replace('==', '@')}" in found
    assert not any("supervisor" in each for each in found)
    assert {
        "pkg:deb/debian/libc6@2.36-9",
        f"pkg:generic/python@{platform.python_version()}",
    } <= found


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_modules_of_a_program_are_what_it_says_itself(tmp_path: Path, parts: Parts) -> None:
    go = shutil.which("go")
    assert go is not None
    shutil.copy(Path(go).resolve(), parts.programs / "pause")
    name = "localhost/inferencebox/pause:3.10.1"
    found = packages(written(tmp_path, parts, (name, "built:pause@sha256:1")), name)
    assert {each.partition("/")[0] for each in found} <= {"pkg:golang", "pkg:deb"}
    (parts.programs / "pause").write_text("no program")
    with pytest.raises(BundleError, match="no program of Go"):
        written(tmp_path, parts, (name, "built:pause@sha256:1"))


def test_replaced_modules_are_named_by_what_replaced_them() -> None:
    lines = ["\tdep\texample.org/a\tv1.0.0\th1:x=", "\tdep\texample.org/b\tv1.0.0"]
    lines += ["\t=>\texample.org/c\tv2.0.0\th1:y=", "\tbuild\t-trimpath=true"]
    found = [str(one.bom_ref.value) for one in sbom.listed(lines)]
    assert found == ["pkg:golang/example.org/a@v1.0.0", "pkg:golang/example.org/c@v2.0.0"]


@pytest.mark.parametrize("copied", [[], ["\t=>\t./module\t(devel)\t"]])
def test_a_programs_own_module_is_named_also_where_it_was_built_of_a_copy(
    copied: list[str],
) -> None:
    lines = ["program: go1.2.3", "\tpath\texample.org/a/cmd/a", "\tmod\texample.org/a\tv1.0.0"]
    found = [str(one.bom_ref.value) for one in sbom.listed([*lines, *copied])]
    assert found == ["pkg:golang/example.org/a@v1.0.0"]


def test_a_program_of_this_project_is_no_module_that_anybody_could_look_up() -> None:
    assert list(sbom.listed(["\tmod\tinferencebox.io/programs/pause\t(devel)\t"])) == []
