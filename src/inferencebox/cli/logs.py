# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox logs``: what a program wrote, and what it writes now."""

from __future__ import annotations

import collections
import sys
import time
import typing as t
from pathlib import Path

import typer

from ._home import Home, HomeOption, PlatformOption, find_home
from ._output import CommandError, listed, print_text

_POLL_SECONDS = 0.2


def logs(
    program: t.Annotated[
        str | None,
        typer.Argument(
            help="A program, or a model for its newest replica, as tier1, tier1.access, iris.",
            show_default="list what there is",
        ),
    ] = None,
    lines: t.Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")
    ] = 50,
    *,
    follow: t.Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Show the last lines of a log. Access logs are named PROGRAM.access."""
    place = find_home(home, platform)
    if place.data["target"] == "kubernetes":
        raise CommandError(
            f"the logs of platform {place.name!r} are in its cluster",
            "Read them with kubectl logs.",
        )
    if program is None:
        for file in _all(place):
            print_text(file.name.removesuffix(".log"))
        return
    file = log_file(place, program)
    stream = _open(file)
    _print_tail(stream, lines)
    if follow:
        _follow(file, stream)
    stream.close()


def log_file(place: Home, program: str) -> Path:
    """Find a program's log.

    Args:
        place: The platform.
        program: Name of a program, or of a model: then the log that was written last.

    Raises:
        CommandError: There is none; the hint lists those that there are.
    """
    files = _all(place)
    exact = [file for file in files if file.name == f"{program}.log"]
    owner = place.models.get(program, {}).get("owner")
    of_model = [
        file
        for file in files
        if owner
        and file.name.startswith(f"model.{owner}.{program}.")
        and not file.name.endswith(".access.log")
    ]
    if not exact + of_model:
        names = {file.name.removesuffix(".log") for file in files}
        raise CommandError(f"no log of {program!r}", f"There are: {listed(names)}.")
    return exact[0] if exact else max(of_model, key=lambda file: file.stat().st_mtime)


def _all(place: Home) -> list[Path]:
    directory = place.path / "logs"
    try:
        return sorted(file for file in directory.iterdir() if file.suffix == ".log")
    except OSError as error:
        raise CommandError(
            f"{directory} cannot be read: {error.strerror}",
            "Run the command as the user who installed the platform.",
        ) from error


def _open(file: Path) -> t.TextIO:
    return file.open(encoding="utf-8", errors="replace")


def _print_tail(stream: t.TextIO, lines: int) -> None:
    for line in collections.deque(stream, maxlen=lines):
        sys.stdout.write(line if line.endswith("\n") else line + "\n")
    sys.stdout.flush()


def _follow(file: Path, stream: t.TextIO) -> None:
    """Print what comes after what was read, also when the log is rotated, until interrupted."""
    try:
        while True:
            # Asked before reading: what was written before a rotation is in the old file then.
            replaced = _replaced(file, stream)
            text = stream.read()
            if text:
                sys.stdout.write(text)
                sys.stdout.flush()
            elif replaced:
                stream.close()
                stream = _open(file)
            else:
                time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        return  # the way to end it
    finally:
        stream.close()


def _replaced(file: Path, stream: t.TextIO) -> bool:
    try:
        now = file.stat()
    except FileNotFoundError:
        return False  # between two files of a rotation
    with_handle = Path(f"/proc/self/fd/{stream.fileno()}").stat()
    return now.st_ino != with_handle.st_ino or now.st_size < stream.tell()
