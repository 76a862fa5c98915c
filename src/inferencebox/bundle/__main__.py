# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m inferencebox.bundle`: one step of filling a bundle, for playbooks/bundle.yml.

What a step did is one JSON object on standard output.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import charts, debian, image, manifest, programs, registry, sbom
from .errors import BundleError
from .recipes import RECIPES, parts_of
from .tree import Tree

_PUBLISHED = "published:"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one step; the exit status is 0 when it is done."""
    given = _parser().parse_args(arguments)
    try:
        print(json.dumps(_STEPS[given.step](given)))
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inferencebox.bundle", allow_abbrev=False)
    steps = parser.add_subparsers(dest="step", required=True)
    one = steps.add_parser("image", help="copy or build one image", allow_abbrev=False)
    one.add_argument("--name", required=True, help="under which it will be asked for")
    one.add_argument("--file", required=True, help="its archive, in the folder images")
    origin = one.add_mutually_exclusive_group(required=True)
    origin.add_argument("--published", help="copy it: where its project publishes it")
    origin.add_argument("--repository", choices=sorted(RECIPES), help="build it: what it is")
    built = steps.add_parser("programs", help="build programs", allow_abbrev=False)
    built.add_argument("--repository", action="append", default=[], choices=sorted(RECIPES))
    built.add_argument(
        "--node-kubernetes", metavar="TOOL", help="and those of a node, with this Kubernetes"
    )
    chart = steps.add_parser("chart", help="make a chart", allow_abbrev=False)
    chart.add_argument("--file", required=True, help="its file, in the folder charts")
    made = steps.add_parser("manifest", help="make a component's manifest", allow_abbrev=False)
    made.add_argument("--directory", required=True, help="its directory in the bundle")
    made.add_argument("--file", required=True, help="its file there")
    described = steps.add_parser("describe", help="write what is in it", allow_abbrev=False)
    every = (one, built, chart, made, described)
    for each in every:
        each.add_argument("--bundle", type=Path, required=True, help="the directory")
    return parser


def _image(given: argparse.Namespace) -> dict[str, Any]:
    folder = given.bundle / "images"
    path = folder / given.file
    parts = parts_of(given.bundle)
    recipe = RECIPES[given.repository] if given.repository else None
    made_from = (
        f"{sbom.BUILT}{given.repository}@{recipe.origin(parts)}"
        if recipe
        else f"{_PUBLISHED}{given.published}"
    )
    kept = image.read(path)
    if kept is not None and (kept.name, kept.made_from) == (given.name, made_from):
        return _shown(path, kept, changed=False)
    folder.mkdir(parents=True, exist_ok=True)
    if recipe is None:
        archive = registry.copy(path, given.name, f"docker://{given.published}", made_from)
        return _shown(path, archive, changed=True)
    # Beside the archive: what is put together may be larger than memory.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".stage-") as stage:
        tree = Tree()
        settings = recipe.fill(parts, tree, Path(stage))
        owned = debian.packages(source for _, source in tree.sources())
        archive = image.write(path, given.name, tree, settings, made_from, owned)
    return _shown(path, archive, changed=True)


def _shown(path: Path, archive: image.Archive, *, changed: bool) -> dict[str, Any]:
    return {
        "changed": changed,
        "name": archive.name,
        "digest": archive.digest,
        "bytes": path.stat().st_size,
    }


def _programs(given: argparse.Namespace) -> dict[str, Any]:
    changed = programs.collect(given.bundle, given.repository, kubernetes=given.node_kubernetes)
    return {"changed": bool(changed), "programs": changed}


def _chart(given: argparse.Namespace) -> dict[str, Any]:
    return {"changed": charts.make_chart(given.bundle, given.file)}


def _manifest(given: argparse.Namespace) -> dict[str, Any]:
    return {"changed": charts.make_manifest(given.bundle, given.directory, given.file)}


def _describe(given: argparse.Namespace) -> dict[str, Any]:
    described = manifest.describe(given.bundle)
    try:
        known = manifest.read(given.bundle)
    except BundleError:
        known = {}
    path = given.bundle / manifest.SBOM
    changed = described != known or not path.is_file()
    if changed:
        sbom.write(path, described, parts_of(given.bundle))
        manifest.write(given.bundle, described)
    total = sum(row["bytes"] for row in described["files"])
    return {"changed": changed, "files": len(described["files"]), "bytes": total}


_STEPS = {
    "programs": _programs,
    "chart": _chart,
    "manifest": _manifest,
    "image": _image,
    "describe": _describe,
}


if __name__ == "__main__":
    sys.exit(main())
