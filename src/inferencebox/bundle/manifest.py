# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a bundle holds: every file with its size and checksum, every image with its digest and origin."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.host.files import replace_file

from . import image
from .errors import BundleError

NAME = "bundle.json"
SBOM = "sbom.cdx.json"
FORMAT = 1
# Folders of a bundle; what else lies beside them is nobody's.
FOLDERS = ("charts", "images", "manifests", "programs")


def read(bundle: Path) -> dict[str, Any]:
    """Read a bundle's manifest.

    Raises:
        BundleError: There is none, or none of this form.
    """
    path = bundle / NAME
    try:
        found: Any = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise BundleError(
            f"{path} is missing: the bundle is not complete, run playbooks/bundle.yml again"
        ) from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BundleError(f"{path} is of another version: make the bundle again")
    return dict(found)


def describe(bundle: Path) -> dict[str, Any]:
    """Look at every file of a bundle.

    Raises:
        BundleError: There is nothing, a file cannot be read, or an image is damaged.
    """
    files = []
    images = []
    for path in _files(bundle):
        place = path.relative_to(bundle).as_posix()
        files.append({"path": place, "bytes": path.stat().st_size, "sha256": _checksum(path)})
        if place.startswith("images/"):
            found = image.read(path)
            if found is None:
                raise BundleError(f"{path} is no image: remove it and make the bundle again")
            images.append(
                {
                    "name": found.name,
                    "file": place,
                    "digest": found.digest,
                    "made_from": found.made_from,
                    "packages": list(found.packages),
                }
            )
    if not files:
        raise BundleError(f"{bundle} holds nothing of a bundle")
    return {"format": FORMAT, "files": files, "images": images}


def write(bundle: Path, described: dict[str, Any]) -> None:
    """Write a bundle's manifest.

    Raises:
        BundleError: It cannot be written.
    """
    text = json.dumps(described, indent=1) + "\n"
    try:
        replace_file(str(bundle / NAME), text.encode(), 0o644)
    except OSError as error:
        raise BundleError(f"{error.filename}: {error.strerror}") from error


def problems(bundle: Path) -> list[str]:
    """Compare a bundle with its manifest.

    Returns:
        One sentence for each file that is missing or another; files that the manifest does not know do not matter.

    Raises:
        BundleError: There is no manifest.
    """
    found = []
    for row in read(bundle)["files"]:
        path = bundle / row["path"]
        if not path.is_file():
            found.append(f"{path} is missing")
        elif path.stat().st_size != row["bytes"]:
            found.append(f"{path} has {path.stat().st_size} bytes, not {row['bytes']}")
        elif _checksum(path) != row["sha256"]:
            found.append(f"{path} is not the file that was bundled: its checksum is another")
    return found


def _files(bundle: Path) -> list[Path]:
    return sorted(
        path
        for folder in FOLDERS
        for path in (bundle / folder).rglob("*")
        # What begins with a dot is not complete.
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(bundle).parts)
    )


def _checksum(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
