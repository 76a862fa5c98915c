# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images as files: an OCI image layout in a tar archive, which containerd, skopeo and podman read.

Tools that make images either bring a registry's client and compress by a library whose output changes with its version
(crane, umoci), or need a daemon or a user namespace. Packing one layer takes less than explaining them, and these
archives have one property that those lack: the same content gives the same bytes, on every machine.

https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .errors import BundleError
from .tree import Entry, Tree

# Containerd names an imported image after it, https://github.com/containerd/containerd/blob/v1.6.20/images/annotations.go
NAME_ANNOTATION = "io.containerd.image.name"
# What the image was made from: so that nobody makes it again who has it.
ORIGIN_ANNOTATION = "io.inferencebox.made-from"
# Packages of this machine's distribution that files of the image came from: name=version, separated by spaces.
PACKAGES_ANNOTATION = "io.inferencebox.packages"
# A user without a name on any machine, as distroless images have it.
USER = 65532

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LAYOUT = {"imageLayoutVersion": "1.0.0"}
_TYPE = "application/vnd.oci.image"
_EPOCH = "1970-01-01T00:00:00Z"
# As OCI writes what the kernel calls x86_64 and aarch64.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# What a member of an archive looks like, whatever it holds.
_FILE = Entry(mode=0o644, content=b"")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an image is started.

    Attributes:
        entrypoint: Its program.
        arguments: What a pod's `args` replace.
        user: Number of its user and group; Kubernetes' `runAsNonRoot` refuses names.
        environment: Variables beside PATH.
        workdir: Where it starts.
        path: Its PATH.
    """

    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    user: int = USER
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    path: str = _PATH


@dataclass(frozen=True)
class Archive:
    """What is known of an archive without unpacking it.

    Attributes:
        name: Name of the image.
        digest: Of its manifest, as ``sha256:...``.
        made_from: What it was made from; empty in archives of others.
        packages: Packages of the distribution that files of it came from, as ``name=version``.
    """

    name: str
    digest: str
    made_from: str
    packages: tuple[str, ...] = ()


def architecture() -> str:
    """Name this machine's processor as OCI does."""
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)


def write(
    path: Path,
    name: str,
    tree: Tree,
    settings: Settings,
    made_from: str = "",
    packages: Sequence[str] = (),
) -> Archive:
    """Write an image of one layer.

    Args:
        path: The archive; it is there only when it is complete.
        name: Name of the image, with its tag.
        tree: Its files.
        settings: How it is started.
        made_from: What `read` gives back as the image's origin.
        packages: What it gives back as the image's packages.

    Raises:
        BundleError: A file of the tree cannot be read, or the archive not written.
    """
    try:
        with tempfile.TemporaryFile(dir=path.parent) as layer:
            digest = _layer(layer, tree)
            config = _json(_config(settings, digest))
            manifest = _json(_manifest(config, digest, layer.tell()))
            index = _index(manifest, _annotations(name, made_from, packages))
            unfinished = path.with_name(f".{path.name}.unfinished")
            with tarfile.open(unfinished, "w", format=tarfile.USTAR_FORMAT) as archive:
                _add(archive, "oci-layout", _json(_LAYOUT))
                _add(archive, "index.json", _json(index))
                _add(archive, _blob(_digest(config)), config)
                _add(archive, _blob(_digest(manifest)), manifest)
                size = layer.tell()
                layer.seek(0)
                archive.addfile(_header(_blob(digest), _FILE, size), layer)
            unfinished.rename(path)
    except OSError as error:
        raise BundleError(f"{error.filename or path}: {error.strerror}") from error
    return Archive(name, _digest(manifest), made_from, tuple(packages))


def read(path: Path) -> Archive | None:
    """Read what an archive holds; None where there is none, or where it is damaged or of another form."""
    try:
        with tarfile.open(path, "r:") as archive:
            member = archive.extractfile("index.json")
            assert member is not None
            (manifest,) = json.load(member)["manifests"]
            annotations = manifest["annotations"]
            # The last member is only there where nothing was cut off.
            archive.getmembers()
        return Archive(
            annotations[NAME_ANNOTATION],
            manifest["digest"],
            annotations.get(ORIGIN_ANNOTATION, ""),
            tuple(annotations.get(PACKAGES_ANNOTATION, "").split()),
        )
    except (OSError, KeyError, ValueError, AssertionError, tarfile.TarError):
        return None


def pack(path: Path, name: str, layout: Path, made_from: str = "") -> Archive:
    """Write an archive of an image layout that another tool has made, as it is, under a name.

    Args:
        path: The archive; it is there only when it is complete.
        name: Name of the image, with its tag.
        layout: Directory with one image.
        made_from: What `read` gives back as the image's origin.

    Raises:
        BundleError: The directory holds no such layout, or the archive cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        index = json.loads((layout / "index.json").read_bytes())
        (manifest,) = index["manifests"]
        manifest["annotations"] = _annotations(name, made_from)
        blobs = sorted((layout / "blobs").rglob("*"))
        with tarfile.open(unfinished, "w", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, "oci-layout", _json(_LAYOUT))
            _add(archive, "index.json", _json(index))
            for blob in (each for each in blobs if each.is_file()):
                with blob.open("rb") as content:
                    name_inside, size = str(blob.relative_to(layout)), blob.stat().st_size
                    archive.addfile(_header(name_inside, _FILE, size), content)
        unfinished.rename(path)
    except OSError as error:
        raise BundleError(f"{error.filename or path}: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise BundleError(f"{layout} is no layout of one image: {error}") from error
    return Archive(name, manifest["digest"], made_from)


def _layer(target: IO[bytes], tree: Tree) -> str:
    hashing = _Hashing(target)
    # Long paths need more than USTAR; what PAX adds is only the path.
    with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as layer:  # type: ignore[call-overload]
        for name, entry in tree:
            if entry.source is not None:
                with entry.source.open("rb") as content:
                    layer.addfile(_header(name, entry, os.fstat(content.fileno()).st_size), content)
            else:
                text = entry.content or b""
                layer.addfile(_header(name, entry, len(text)), io.BytesIO(text))
    return f"sha256:{hashing.digest.hexdigest()}"


class _Hashing:
    """Passes on what is written, and keeps its digest."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._target.write(content)


def _header(name: str, entry: Entry, size: int) -> tarfile.TarInfo:
    # A fresh header belongs to root, and was made at the beginning of 1970.
    header = tarfile.TarInfo(name)
    header.mode = entry.mode
    header.uid = header.gid = entry.owner
    if entry.link is not None:
        header.type, header.linkname = tarfile.SYMTYPE, entry.link
    elif entry.is_directory:
        header.type = tarfile.DIRTYPE
    else:
        header.size = size
    return header


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_header(name, _FILE, len(content)), io.BytesIO(content))


def _config(settings: Settings, layer: str) -> dict[str, Any]:
    environment = {"PATH": settings.path, **settings.environment}
    config: dict[str, Any] = {
        "Entrypoint": list(settings.entrypoint),
        "User": f"{settings.user}:{settings.user}",
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "WorkingDir": settings.workdir,
    }
    if settings.arguments:
        config["Cmd"] = list(settings.arguments)
    return {
        "architecture": architecture(),
        "os": "linux",
        "created": _EPOCH,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created": _EPOCH, "created_by": "inferencebox"}],
    }


def _manifest(config: bytes, layer: str, size: int) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}.manifest.v1+json",
        "config": {
            "mediaType": f"{_TYPE}.config.v1+json",
            "digest": _digest(config),
            "size": len(config),
        },
        "layers": [{"mediaType": f"{_TYPE}.layer.v1.tar", "digest": layer, "size": size}],
    }


def _index(manifest: bytes, annotations: dict[str, str]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}.index.v1+json",
        "manifests": [
            {
                "mediaType": f"{_TYPE}.manifest.v1+json",
                "digest": _digest(manifest),
                "size": len(manifest),
                "platform": {"architecture": architecture(), "os": "linux"},
                "annotations": annotations,
            }
        ],
    }


def _annotations(name: str, made_from: str, packages: Sequence[str] = ()) -> dict[str, str]:
    # By the whole name, so that `skopeo copy oci-archive:FILE:NAME` finds it, too.
    found = {NAME_ANNOTATION: name, "org.opencontainers.image.ref.name": name}
    if made_from:
        found[ORIGIN_ANNOTATION] = made_from
    if packages:
        found[PACKAGES_ANNOTATION] = " ".join(packages)
    return found


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
