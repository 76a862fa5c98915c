# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Desired files and directories, written atomically and only when they differ.

`write_files` compares content, mode and owner with what is there. A file is replaced by a rename of a complete,
synced sibling, so that a reader sees the old content or the new one and a crash leaves no half of either.
"""

from __future__ import annotations

import fnmatch
import grp
import os
import pwd
import stat
import tempfile
import typing as t
from dataclasses import dataclass, field

from ..errors import PlatformError

MASK = "(hidden: secret)\n"


@dataclass(frozen=True)
class FileSpec:
    """One wanted file.

    Attributes:
        path: Absolute path; its directory must exist.
        content: Text (written as UTF-8) or bytes.
        mode: Permission bits, such as 0o640.
        owner: User name, or None to leave the owner of an existing file and use the process's for a new one.
        group: Group name, in the same way.
        secret: The content never appears in a diff.
    """

    path: str
    content: bytes | str = field(repr=False)
    mode: int = 0o644
    owner: str | None = None
    group: str | None = None
    secret: bool = False


@dataclass(frozen=True)
class DirectorySpec:
    """One wanted directory; parents that are missing are made with mode 0755 and the process's owner."""

    path: str
    mode: int = 0o755
    owner: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Changes:
    """What was changed, or would be in check mode: paths, and before/after pairs in Ansible's diff form."""

    changed: tuple[str, ...] = ()
    diff: tuple[dict[str, str], ...] = ()

    def __add__(self, other: Changes) -> Changes:
        return Changes(self.changed + other.changed, self.diff + other.diff)


@dataclass(frozen=True)
class _Present:
    """What lies at a path now. `content` is None for anything but a regular file."""

    mode: int
    uid: int
    gid: int
    content: bytes | None


def write_files(
    specs: t.Sequence[FileSpec],
    prune: t.Sequence[tuple[str, str]] = (),
    *,
    check: bool = False,
) -> Changes:
    """Make files be as wanted, then remove what else matches a prune pattern.

    Args:
        specs: The wanted files, written in this order.
        prune: Pairs of directory and glob; a file there that matches and is not wanted is removed.
        check: Report only.

    Returns:
        The changed paths and their diff.

    Raises:
        PlatformError: A file cannot be read, written or given to its owner.
    """
    result = Changes()
    for spec in specs:
        with _explained(spec.path):
            result += _write(spec, check)
    wanted = {spec.path for spec in specs}
    for directory, pattern in prune:
        with _explained(directory):
            result += _prune(directory, pattern, wanted, check)
    return result


def ensure_directories(specs: t.Sequence[DirectorySpec], *, check: bool = False) -> Changes:
    """Make directories exist with their mode and owner, parents first.

    Raises:
        PlatformError: A directory cannot be made, or something else is in its place.
    """
    result = Changes()
    for spec in sorted(specs, key=lambda one: one.path):
        with _explained(spec.path):
            result += _ensure_directory(spec, check)
    return result


def _write(spec: FileSpec, check: bool) -> Changes:
    present = _look(spec.path)
    content = spec.content.encode() if isinstance(spec.content, str) else spec.content
    replace = present is None or present.content != content
    before, after = _attributes(spec, present, check)
    if not replace and before == after:
        return Changes()
    if not check:
        if replace:
            replace_file(spec.path, content, spec.mode, *_ids(spec, present))
        else:
            os.chown(spec.path, *_ids(spec, present))
            os.chmod(spec.path, spec.mode)
    old = present.content if present else None
    return Changes(
        (spec.path,),
        (
            {
                "before_header": spec.path + (f" ({before})" if before else " (absent)"),
                "after_header": f"{spec.path} ({after})",
                "before": _shown(spec, old),
                "after": _shown(spec, content) + _secret_changed(spec, replace),
            },
        ),
    )


def replace_file(path: str, content: bytes, mode: int, uid: int = -1, gid: int = -1) -> None:
    """Put a complete file in the place of whatever has this path; uid and gid -1 mean the process's own.

    Raises:
        OSError: As the system calls do; the old file is then untouched and no temporary one is left.
    """
    directory = os.path.dirname(path)
    # mkstemp makes the file with mode 0600, so a secret is never readable on its way.
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=directory)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
            file.flush()
            os.fsync(handle)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)


def sync_directory(directory: str) -> None:
    """Make the renames in a directory survive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _prune(directory: str, pattern: str, wanted: set[str], check: bool) -> Changes:
    result = Changes()
    if not os.path.isdir(directory):
        return result
    for name in sorted(fnmatch.filter(os.listdir(directory), pattern)):
        path = os.path.join(directory, name)
        if path in wanted or os.path.isdir(path):
            continue
        if not check:
            os.unlink(path)
        # The content of a file that is no longer wanted is not shown: it may have been a secret.
        gone = {"before_header": path, "after_header": f"{path} (absent)"}
        result += Changes((path,), ({**gone, "before": "present\n", "after": ""},))
    return result


def _ensure_directory(spec: DirectorySpec, check: bool) -> Changes:
    present = _look(spec.path)
    if present is not None and not os.path.isdir(spec.path):
        raise PlatformError(
            f"{spec.path} is not a directory", hint="Move it away; a directory is needed there."
        )
    before, after = _attributes(spec, present, check)
    if before == after:
        return Changes()
    if not check:
        if present is None:
            os.makedirs(os.path.dirname(spec.path), mode=0o755, exist_ok=True)
            os.mkdir(spec.path, 0o700)
        os.chown(spec.path, *_ids(spec, present))
        os.chmod(spec.path, spec.mode)
    header = {"before_header": spec.path, "after_header": spec.path}
    lines = {"before": f"{before or 'absent'}\n", "after": f"{after}\n"}
    return Changes((spec.path,), (header | lines,))


def _look(path: str) -> _Present | None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    content = None
    if stat.S_ISREG(found.st_mode):
        with open(path, "rb") as file:
            content = file.read()
    return _Present(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, content)


def _ids(spec: FileSpec | DirectorySpec, present: _Present | None) -> tuple[int, int]:
    """Numeric owner and group to set: the named ones, else those of the file that is there, else -1."""
    uid, gid = (present.uid, present.gid) if present else (-1, -1)
    if spec.owner is not None:
        uid = _lookup("user", spec.owner, lambda name: pwd.getpwnam(name).pw_uid)
    if spec.group is not None:
        gid = _lookup("group", spec.group, lambda name: grp.getgrnam(name).gr_gid)
    return uid, gid


def _lookup(kind: str, name: str, find: t.Callable[[str], int]) -> int:
    try:
        return find(name)
    except KeyError:
        raise PlatformError(f"there is no {kind} {name!r} on this machine") from None


def _attributes(
    spec: FileSpec | DirectorySpec, present: _Present | None, check: bool
) -> tuple[str, str]:
    """Mode and owner as text, before (empty when absent) and after."""
    try:
        uid, gid = _ids(spec, present)
    except PlatformError:
        if not check:
            raise
        return "", f"mode {spec.mode:04o}, owner to be created"  # an earlier step would make it
    if present is None:
        return "", f"mode {spec.mode:04o}"
    return (
        f"mode {present.mode:04o}, owner {present.uid}:{present.gid}",
        f"mode {spec.mode:04o}, owner {uid}:{gid}",
    )


def _shown(spec: FileSpec, content: bytes | None) -> str:
    if content is None:
        return ""
    if spec.secret:
        return MASK
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"(binary, {len(content)} bytes)\n"


def _secret_changed(spec: FileSpec, replaced: bool) -> str:
    """A line that lets a diff of two masks differ."""
    return "(new content)\n" if spec.secret and replaced else ""


class _explained:  # noqa: N801 - used as a statement
    """Turn an OSError below into one sentence that names the path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise PlatformError(f"{error.filename or self.path}: {reason}") from error
