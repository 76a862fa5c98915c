# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shared libraries of an image's programs, at the places where their loader looks for them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path

from .errors import BundleError
from .tree import Tree

_ELF = b"\x7fELF"
# Lines such as libz.so.1 => /lib/libz.so.1 (0x7f...), or the path alone for the loader.
_FOUND = re.compile(r"^\s+(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
# How many files one call of ldd looks at.
_AT_ONCE = 100
# What name lookups load while a program runs, which no program is linked with.
_LOOKUPS = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")


def add(tree: Tree, *, inside: Collection[Path] = (), guests: Collection[Path] = ()) -> None:
    """Add to a tree what the programs and libraries in it are linked with.

    Args:
        tree: The tree.
        inside: Directories whose libraries are in the tree already, in other places.
        guests: Programs that are not in the tree, and will be put into its container.

    Raises:
        BundleError: ldd is missing.
    """
    programs = [source for _, source in tree.sources() if _is_elf(source)] + list(guests)
    found = _linked(programs)
    libc = next((each for each in sorted(found) if each.name == "libc.so.6"), None)
    if libc is not None:
        found |= {libc.with_name(name) for name in _LOOKUPS if libc.with_name(name).exists()}
    for library in sorted(found):
        if str(library) not in tree and not any(map(library.is_relative_to, inside)):
            tree.file(str(library), library.resolve())


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


def _linked(programs: Iterable[Path]) -> set[Path]:
    found: set[Path] = set()
    paths = [str(each) for each in programs]
    for start in range(0, len(paths), _AT_ONCE):
        try:
            # Of files that are linked with nothing, it complains.
            done = subprocess.run(
                ["ldd", *paths[start : start + _AT_ONCE]],
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise BundleError("ldd is not installed: install libc-bin") from error
        found |= {Path(os.path.normpath(each)) for each in _FOUND.findall(done.stdout)}
    return found
