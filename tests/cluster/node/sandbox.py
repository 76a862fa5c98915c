# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One container as a process: what it sees of the file system, and as whom it runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# As distroless images have it.
_USER = 65532
# Of this machine, read-only: the C library for programs that need it, authorities.
_LOCAL = "/usr/local"
_SHARED = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ssl", "/etc/ld.so.cache")


@dataclass(frozen=True)
class Program:
    """What stands for a container's image.

    Attributes:
        files: Files of this machine by their places in the container; below /usr, in /usr/local alone.
        entrypoint: The image's own command.
        directories: Directories of the image that its user may write to.
        prepares: Commands that are run in a Pod's network before its containers start, as a plugin of the node would,
            by the name of the container that asks for it.
    """

    files: Mapping[str, Path]
    entrypoint: tuple[str, ...]
    directories: tuple[str, ...] = ()
    prepares: Mapping[str, Sequence[str]] = field(default_factory=dict)


def available() -> bool:
    """Whether this machine has what a sandbox is made with, and this user may make one."""
    return os.geteuid() == 0 and all(
        shutil.which(name) for name in ("bwrap", "setpriv", "nsenter", "ip")
    )


def command(
    program: Program,
    words: Sequence[str],
    *,
    mounts: Mapping[str, Path],
    etc: Path,
    directory: str = "/",
    user: int | None = None,
) -> list[str]:
    """Write the command that runs a container.

    Args:
        program: What stands for its image.
        words: What it runs; empty for the image's own command.
        mounts: Directories and files of this machine, by their places in it.
        etc: Directory whose files are files of its /etc.
        directory: Where it runs.
        user: The Unix user's number.
    """
    number = str(user or _USER)
    built = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc"]
    built += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"]
    for place in ("/tmp", *program.directories):
        built += ["--perms", "1777", "--dir", place]
    places = [*mounts, *program.files, "/etc/x"]
    built += _way_to(places, below="/")
    for path in map(Path, _SHARED):
        if path.is_symlink():
            built += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            built += ["--ro-bind", str(path), str(path)]
    if any(place.startswith(_LOCAL) for place in program.files):
        # Of this machine's own programs, those of its distribution do; an image has its own here.
        built += ["--tmpfs", _LOCAL]
        built += _way_to(places, below=_LOCAL)
    for path in sorted(etc.iterdir()):
        built += ["--ro-bind", str(path), f"/etc/{path.name}"]
    # Outer directories first: a mount hides what was put below it before.
    for place, path in sorted(mounts.items()):
        built += ["--bind", str(path), place]
    for place, path in program.files.items():
        built += ["--ro-bind", str(path), place]
    # To become somebody else, and nothing beside.
    built += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--chdir", directory, "--"]
    built += ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    built += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    return [*built, "--", *(words or program.entrypoint)]


def _way_to(places: Sequence[str], *, below: str) -> list[str]:
    """Make the directories on the way to mounts; the sandbox would make them closed to all but root."""
    above = {up for place in places for up in Path(place).parents if Path(below) in up.parents}
    return [word for up in sorted(above) for word in ("--perms", "0755", "--dir", str(up))]
