# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Model files on this machine: fetched once, checked, and named by what they contain.

Below a destination there is one directory per content, so that a replica that still serves the old files is not
disturbed by new ones:

    <destination>/<first 12 digits of the digest>/...   what was fetched
    <destination>/.artifact.json                        what is current, and how it looked when it was checked

Packages (python://) are read where they are installed; only their record is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ArtifactError, ChecksumError
from . import artifact_sources as sources
from .files import replace_file

RECORD = ".artifact.json"

# Long enough that two versions of one model never meet.
_NAME_DIGITS = 12

_PREFIX = "sha256:"
_HASH_DIGITS = 64
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ArtifactResult:
    """A model's files, ready to be served.

    Attributes:
        path: The file, or the directory when there are several.
        changed: Whether the content differs from the last time (or would, in check mode).
        bytes: Size of all files together.
        digest: "sha256:<hex>" of a file, or of the list of a directory's files; empty in check mode where
            only a download would tell.
    """

    path: str
    changed: bool
    bytes: int
    digest: str


@dataclass(frozen=True)
class _Record:
    """What lies at a destination. `stamps` are (relative path, size, mtime in ns) of each file."""

    source: str
    path: str
    digest: str
    bytes: int
    stamps: list[list[str | int]]
    origin: list[list[str | int]]


def fetch(
    source: str,
    destination_dir: Path,
    checksum: str | None = None,
    python: str | None = None,
    *,
    check: bool = False,
) -> ArtifactResult:
    """Make a model's files present on this machine.

    Nothing is fetched again while the source reads the same and the files are as they were left: a source whose
    content changes under the same name is expected to come with a new version (and so a new destination), except
    file:// and python://, which are compared with their origin each time.

    Args:
        source: file://, https://, python://, hf:// or s3://.
        destination_dir: A directory of this model and version alone.
        checksum: "sha256:<hex>" that the content must have; required for https.
        python: Interpreter of the environment that python:// sources are looked up in.
        check: Report only.

    Raises:
        ArtifactError: The files cannot be had; the text says why.
        ChecksumError: They were had and are not the named ones.
    """
    scheme = source.partition("://")[0]
    _check_request(scheme, source, checksum)
    try:
        if scheme == "python":
            return _in_place(source, destination_dir, checksum, python, check)
        return _copied(scheme, source, destination_dir, checksum, check)
    except OSError as error:
        where = error.filename or destination_dir
        raise ArtifactError(f"{where}: {error.strerror or error}") from error


def _check_request(scheme: str, source: str, checksum: str | None) -> None:
    if scheme not in ("file", "https", "python", "hf", "s3"):
        raise ArtifactError(
            f"{sources.shown(source)} cannot be fetched to this machine",
            hint="Use file://, https://, python://, hf:// or s3://.",
        )
    if checksum is None:
        if scheme == "https":
            raise ArtifactError(
                f"{sources.shown(source)} needs a checksum", hint="Add checksum: sha256:<hex>."
            )
        return
    digits = checksum.removeprefix(_PREFIX)
    if (
        not checksum.startswith(_PREFIX)
        or len(digits) != _HASH_DIGITS
        or set(digits) - set("0123456789abcdef")
    ):
        raise ArtifactError(
            f"checksum {checksum!r} is not a SHA-256",
            hint="Write sha256: and 64 lower-case hex digits.",
        )


def _in_place(
    source: str, destination: Path, checksum: str | None, python: str | None, check: bool
) -> ArtifactResult:
    if check and python and not os.path.exists(python):
        # The environment is still to be made.
        return _predicted("python", source, destination, checksum)
    path = sources.package_path(source, python)
    stamps = _stamps(path)
    known = _read_record(destination)
    if known and (known.path, known.stamps) == (str(path), stamps):
        _verify(source, known.digest, checksum)
        return ArtifactResult(str(path), changed=False, bytes=known.bytes, digest=known.digest)
    digest, size = digest_of(path)
    _verify(source, digest, checksum)
    changed = known is None or known.digest != digest or known.path != str(path)
    if not check:
        destination.mkdir(parents=True, exist_ok=True)
        _write_record(destination, _Record(_key(source), str(path), digest, size, stamps, stamps))
    return ArtifactResult(str(path), changed, size, digest)


def _copied(
    scheme: str, source: str, destination: Path, checksum: str | None, check: bool
) -> ArtifactResult:
    origin = _stamps(sources.local_path(source)) if scheme == "file" else []
    known = _read_record(destination)
    if (
        known
        and (known.source, known.origin) == (_key(source), origin)
        and _stamps(Path(known.path)) == known.stamps
        and checksum in (None, known.digest)
    ):
        return ArtifactResult(known.path, changed=False, bytes=known.bytes, digest=known.digest)
    if check:
        return _predicted(scheme, source, destination, checksum)
    destination.mkdir(parents=True, exist_ok=True)
    staging = destination / ".staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        digest, size, inside = _fill(scheme, source, staging, checksum)
        kept = destination / digest.removeprefix(_PREFIX)[:_NAME_DIGITS]
        shutil.rmtree(kept, ignore_errors=True)  # damaged, or its record would have matched
        _open_to_readers(staging)
        staging.rename(kept)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    path = kept / inside if inside else kept
    changed = known is None or known.digest != digest or known.path != str(path)
    _write_record(
        destination, _Record(_key(source), str(path), digest, size, _stamps(path), origin)
    )
    _drop_older(destination, {kept.name, *(Path(known.path).parts if known else ())})
    return ArtifactResult(str(path), changed, size, digest)


def _fill(scheme: str, source: str, staging: Path, checksum: str | None) -> tuple[str, int, str]:
    """Bring the source into `staging`; return digest, size and, for a single file, its name."""
    if scheme == "https":
        assert checksum is not None  # _check_request saw to it
        partial = staging.with_name(f".{checksum.removeprefix(_PREFIX)[:_NAME_DIGITS]}.part")
        resumed = partial.exists()
        sources.download(source, staging, partial)
        if resumed and digest_of(_content(staging))[0] != checksum:
            # The earlier bytes were of something else: once more from the start.
            shutil.rmtree(staging)
            staging.mkdir()
            sources.download(source, staging, partial)
    else:
        bring: dict[str, Callable[[], None]] = {
            "file": lambda: sources.copy(sources.local_path(source), staging),
            "hf": lambda: sources.hugging_face(source, staging),
            "s3": lambda: sources.s3(source, staging),
        }
        bring[scheme]()
    content = _content(staging)
    digest, size = digest_of(content)
    _verify(source, digest, checksum)
    return digest, size, "" if content == staging else content.name


def _content(staging: Path) -> Path:
    """What was brought: the one file, or the directory when there are more.

    Raises:
        ArtifactError: Nothing was.
    """
    found = list(staging.iterdir())
    if not found:
        raise ArtifactError("the source holds no file")
    return found[0] if len(found) == 1 and found[0].is_file() else staging


def _predicted(scheme: str, source: str, destination: Path, checksum: str | None) -> ArtifactResult:
    """What a fetch would give, as far as that can be said without one."""
    if scheme == "file":
        origin = sources.local_path(source)
        digest, size = digest_of(origin)
        _verify(source, digest, checksum)
    else:
        digest, size = checksum or "", 0
    return ArtifactResult(str(destination), changed=True, bytes=size, digest=digest)


def digest_of(path: Path) -> tuple[str, int]:
    r"""Hash a file, or a directory, and measure it.

    A directory's digest is that of the text of one line per file, sorted by path: "<sha256 of the file>  <path>".
    `find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum | sha256sum`, run in it, prints that.

    Returns:
        "sha256:<hex>" and the size in bytes of all files.
    """
    if path.is_file():
        return _PREFIX + _hash_file(path), path.stat().st_size
    total = hashlib.sha256()
    size = 0
    for name, file in _files(path):
        total.update(f"{_hash_file(file)}  {name}\n".encode())
        size += file.stat().st_size
    return _PREFIX + total.hexdigest(), size


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _files(directory: Path) -> list[tuple[str, Path]]:
    """Relative name and path of every file below a directory, sorted; caches of the interpreter do not count."""
    found = [
        (str(path.relative_to(directory)), path)
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return sorted(found, key=lambda item: os.fsencode(item[0]))


def _stamps(path: Path) -> list[list[str | int]]:
    """How the files below a path look; empty when there is nothing."""
    files = [("", path)] if path.is_file() else _files(path)
    return [[name, file.stat().st_size, file.stat().st_mtime_ns] for name, file in files]


def _verify(source: str, digest: str, checksum: str | None) -> None:
    if checksum is not None and digest != checksum:
        raise ChecksumError(
            f"{sources.shown(source)} has the checksum {digest}, not {checksum}",
            hint="Check the source, or write the new checksum if the change was meant.",
        )


def _open_to_readers(directory: Path) -> None:
    """Let every user read: who may come this far is the destination's parent's matter."""
    directory.chmod(0o755)
    for path in directory.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _drop_older(destination: Path, keep: set[str]) -> None:
    """Remove contents before the last one, and downloads that nobody will continue."""
    for path in destination.iterdir():
        if path.name not in keep and path.name != RECORD:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def _key(source: str) -> str:
    """A source as it is kept on disk: hashed, because it may carry a signed query."""
    return hashlib.sha256(source.encode()).hexdigest()


def _read_record(destination: Path) -> _Record | None:
    try:
        return _Record(**json.loads((destination / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # none yet, or of another release: fetch again


def _write_record(destination: Path, record: _Record) -> None:
    replace_file(str(destination / RECORD), json.dumps(asdict(record)).encode(), 0o644)
