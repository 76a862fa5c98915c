# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images of a node, imported from archives into its container runtime."""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import ProcessError

# The namespace of containerd in which Kubernetes looks.
_NAMESPACE = "k8s.io"
_NAME = "io.containerd.image.name"
_START_SECONDS = 60.0
_IMPORT_SECONDS = 600.0


@dataclass(frozen=True)
class Archive:
    """One archive in OCI's layout.

    Attributes:
        path: The file.
        image: Name that the image gets.
        digest: What it is.
    """

    path: str
    image: str
    digest: str


@dataclass(frozen=True)
class Runtime:
    """containerd, as its client finds it.

    Attributes:
        ctr: The client.
        socket: Where containerd answers.
    """

    ctr: str
    socket: str

    def images(self) -> dict[str, str]:
        """Digest of each image by name.

        Raises:
            ProcessError: containerd does not answer.
        """
        lines = self._ask("images", "list").splitlines()[1:]
        rows = (line.split() for line in lines)
        # REF TYPE DIGEST SIZE PLATFORMS LABELS
        return {row[0]: row[2] for row in rows}

    def running(self) -> set[str]:
        """Ids of the containers that run.

        Raises:
            ProcessError: containerd does not answer.
        """
        rows = (line.split() for line in self._ask("tasks", "list").splitlines()[1:])
        # TASK PID STATUS
        return {row[0] for row in rows if row[2] == "RUNNING"}

    def load(self, archive: Archive) -> None:
        """Import an archive.

        Raises:
            ProcessError: It is none, or containerd refuses it.
        """
        self._ask("images", "import", archive.path)

    def wait(self) -> None:
        """Wait until containerd answers.

        Raises:
            ProcessError: It does not.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._ask("version")
            except ProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _ask(self, *words: str) -> str:
        command = [self.ctr, "--address", self.socket, "--namespace", _NAMESPACE, *words]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_IMPORT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ProcessError(f"`ctr {' '.join(words)}` does not end") from error
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise ProcessError(f"`ctr {' '.join(words)}` fails: {said[-1]}")
        return done.stdout


def read_archives(directory: Path) -> list[Archive]:
    """Read the names of all archives of a folder.

    Raises:
        ProcessError: A file is no archive of one named image.
    """
    return [_read(path) for path in sorted(directory.glob("*.tar"))]


def ensure(runtime: Runtime, archives: list[Archive], *, check: bool = False) -> list[str]:
    """Import what the runtime does not have, or has in another form.

    Returns:
        Names of the images that were, or would be, imported.

    Raises:
        ProcessError: containerd does not answer or refuses one.
    """
    if check and not Path(runtime.socket).exists():
        return [one.image for one in archives]
    runtime.wait()
    known = runtime.images()
    due = [one for one in archives if known.get(one.image) != one.digest]
    if not check:
        for one in due:
            runtime.load(one)
    return [one.image for one in due]


def _read(path: Path) -> Archive:
    hint = "Write it as one image in OCI's layout, with the annotation io.containerd.image.name."
    try:
        with tarfile.open(path) as files:
            member = files.extractfile("index.json")
            assert member is not None
            (manifest,) = json.load(member)["manifests"]
        return Archive(str(path), manifest["annotations"][_NAME], manifest["digest"])
    except (OSError, tarfile.TarError, KeyError, ValueError, AssertionError) as error:
        raise ProcessError(f"{path} is no archive of one named image", hint=hint) from error
