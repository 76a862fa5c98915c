# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of an image before they are packed: paths, and where their content is."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import BundleError


@dataclass(frozen=True)
class Entry:
    """One file, directory or link of an image.

    Attributes:
        mode: Permission bits.
        owner: Its user and group, by number.
        source: File that holds the content; None where `content` or `link` does, and for directories.
        content: The content itself.
        link: What a symbolic link leads to.
    """

    mode: int = 0o755
    owner: int = 0
    source: Path | None = None
    content: bytes | None = None
    link: str | None = None

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.source is None and self.content is None and self.link is None


class Tree:
    """Entries by their path, which begins with no slash.

    What is added later replaces what is there, and directories above an entry come by themselves. Owners and modes of
    the machine do not matter: everything belongs to root and may be read by everybody, unless it is said otherwise.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        """Go through all entries in the order of their paths: directories before what they hold."""
        return iter(sorted(self._entries.items(), key=lambda item: item[0].split("/")))

    def __contains__(self, path: str) -> bool:
        """Whether there is such a path."""
        return _relative(path) in self._entries

    def directory(self, path: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add a directory."""
        self._put(path, Entry(mode=mode, owner=owner))

    def file(self, path: str, source: Path) -> None:
        """Add a file with the content of another; executable if that one is.

        Raises:
            BundleError: There is no such file.
        """
        try:
            found = source.stat()
        except OSError as error:
            raise BundleError(f"{source}: {error.strerror}") from error
        if not stat.S_ISREG(found.st_mode):
            raise BundleError(f"{source} is not a file")
        self._put(path, Entry(mode=0o755 if found.st_mode & 0o111 else 0o644, source=source))

    def text(self, path: str, content: str) -> None:
        """Add a file with this content."""
        self._put(path, Entry(mode=0o644, content=content.encode()))

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._put(path, Entry(mode=0o777, link=target))

    def folder(
        self, path: str, source: Path, *, without: Callable[[PurePosixPath], bool] | None = None
    ) -> None:
        """Add everything below a directory; links stay links.

        Args:
            path: Where it goes.
            source: The directory.
            without: Says of a path below `source` whether it is left out, with all below it.

        Raises:
            BundleError: It is not there.
        """
        if not source.is_dir():
            raise BundleError(f"{source} is not a directory")
        self._walk(path, source, PurePosixPath(), without or (lambda _: False))

    def _walk(
        self,
        path: str,
        source: Path,
        inside: PurePosixPath,
        without: Callable[[PurePosixPath], bool],
    ) -> None:
        for each in sorted((source / inside).iterdir()):
            place = inside / each.name
            if without(place):
                continue
            if each.is_symlink():
                self.link(f"{path}/{place}", str(each.readlink()))
            elif each.is_dir():
                self._walk(path, source, place, without)
            else:
                self.file(f"{path}/{place}", each)

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Go through the files whose content is in other files."""
        for path, entry in self:
            if entry.source is not None:
                yield path, entry.source

    def _put(self, path: str, entry: Entry) -> None:
        relative = _relative(path)
        for parent in list(PurePosixPath(relative).parents)[:-1]:
            found = self._entries.setdefault(str(parent), Entry())
            if not found.is_directory:
                raise BundleError(f"/{relative} lies below /{parent}, which is no directory")
        self._entries[relative] = entry


def _relative(path: str) -> str:
    parts = PurePosixPath(path.lstrip("/")).parts
    if not parts or ".." in parts:
        raise BundleError(f"{path!r} is no path inside of an image")
    return "/".join(parts)
