# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images that their projects publish, copied from registries by skopeo."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from . import image
from .errors import BundleError

_SHOWN_LINES = 5


def copy(path: Path, name: str, reference: str, made_from: str) -> image.Archive:
    """Copy an image into an archive, for this machine's processor.

    What has arrived before a connection breaks is kept beside the archive, and is not asked for again.

    Args:
        path: The archive; it is there only when it is complete.
        name: Name of the image in it.
        reference: Where it comes from, as skopeo writes it: ``docker://docker.io/istio/pilot:1.2.3``.
        made_from: What `image.read` gives back as its origin.

    Raises:
        BundleError: skopeo is missing or fails; the text holds its last lines.
    """
    layout = path.with_name(f".{path.name}.partial")
    # Its list of images would grow with each attempt.
    (layout / "index.json").unlink(missing_ok=True)
    words = ["skopeo", "copy", "--quiet", "--retry-times", "3", "--override-os", "linux"]
    words += ["--override-arch", image.architecture(), reference, f"oci:{layout}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BundleError("skopeo is not installed: install Debian's package skopeo") from error
    if done.returncode:
        tail = "; ".join(done.stderr.strip().splitlines()[-_SHOWN_LINES:])
        raise BundleError(f"{reference} cannot be copied: {tail}")
    _drop_others(layout)
    archive = image.pack(path, name, layout, made_from)
    shutil.rmtree(layout)
    return archive


def _drop_others(layout: Path) -> None:
    """Remove blobs of an earlier attempt that belong to another version of the image."""
    (descriptor,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes())
    used = {descriptor["digest"], manifest["config"]["digest"]}
    used |= {layer["digest"] for layer in manifest["layers"]}
    for blob in (layout / "blobs").glob("*/*"):
        if f"{blob.parent.name}:{blob.name}" not in used:
            blob.unlink()
