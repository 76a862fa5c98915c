# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every command says and how it ends: text or JSON, one sentence for an error, an exit code.

Exit codes: 0 done; 1 it was tried and failed; 2 the command line or the inventory is wrong; 3 there is no
such platform, or it does not run; 130 interrupted.
"""

from __future__ import annotations

import errno
import json
import os
import select
import sys
import typing as t
from collections.abc import Callable, Mapping

import typer
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    InventoryError,
    PlatformError,
)
from rich.console import Console
from rich.markup import escape
from rich.table import Table

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_PLATFORM = 3
EXIT_INTERRUPTED = 130

# Columns; no table of ours is as wide.
_ENDLESS = 10_000

# Set to anything, it shows where an unexpected error came from.
TRACEBACK_VARIABLE = "INFERENCEBOX_TRACEBACK"

JsonOption = t.Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class CommandError(PlatformError):
    """Something that the person at the keyboard has to do or know.

    Attributes:
        exit_code: Status with which the command ends.
    """

    def __init__(self, message: str, hint: str = "", *, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


class _Console(Console):
    """Leaves it to `guarded` what happens when the reader has gone."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def stdout() -> Console:
    """The console of results. Made on each call, because tests and pipes exchange the stream."""
    return _Console(soft_wrap=True, highlight=False)


def stderr() -> Console:
    """The console of progress and errors."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(data: object) -> None:
    """Print JSON as it is: no colours, no wrapping."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def print_text(text: str) -> None:
    """Print text as it is; nothing in it is markup."""
    sys.stdout.write(text + "\n")


def print_table(columns: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> None:
    """Print rows under headings, without frames, so that it also reads well in a file.

    Args:
        columns: Headings; one that starts with ``>`` stands on the right, as numbers do.
        rows: Cells as rich markup; escape what comes from elsewhere.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(">")
        table.add_column(
            column.removeprefix(">"), justify="right" if right else "left", no_wrap=True
        )
    for row in rows:
        table.add_row(*row)
    console = stdout()
    if not console.is_terminal:
        # A file or a pipe has no width: nothing is to be cut there.
        console = _Console(width=_ENDLESS, highlight=False)
    console.print(table)


def guarded(run: Callable[[], object]) -> int:
    """Run a command and translate whatever it raises, the one place where that happens.

    Args:
        run: The command; an integer that it returns is its exit code.

    Returns:
        The exit code.
    """
    try:
        result = run()
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_is_content()
    except SystemExit as end:
        # So the libraries for command lines and consoles end when the reader has gone.
        if _reader_has_gone():
            return _reader_is_content()
        result = end.code
    except (KeyboardInterrupt, typer.Abort):
        show_error("interrupted", "")
        return EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        message, hint, code = _explained(error)
        show_error(message, hint)
        return code
    return result if isinstance(result, int) else 0


def _reader_has_gone() -> bool:
    """Whether nobody reads standard output any more."""
    poll = select.poll()
    poll.register(sys.__stdout__ or sys.stdout, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _reader_is_content() -> int:
    """The reader (`| head`) has what it wanted. Without this, Python complains while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _explained(error: Exception) -> tuple[str, str, int]:
    """Return message, hint and exit code of an error."""
    if isinstance(error, InventoryError):
        return str(error), "", EXIT_USAGE
    if isinstance(error, PlatformError):
        return error.message, error.hint, getattr(error, "exit_code", EXIT_FAILED)
    if isinstance(error, typer.TyperException):
        text = getattr(error, "format_message", lambda: str(error))()
        context = getattr(error, "ctx", None)
        return text, f"See `{context.command_path} --help`." if context else "", EXIT_USAGE
    hint = f"Run it again with {TRACEBACK_VARIABLE}=1 to see where it came from."
    return f"unexpected {type(error).__name__}: {error}", hint, EXIT_FAILED


def show_error(message: str, hint: str) -> None:
    """Print one error and the next step to standard error."""
    console = stderr()
    console.print(f"[bold red]error:[/] {escape(message)}")
    if hint:
        console.print(escape(hint))


def read_json(text: str, where: str) -> t.Any:
    """Parse JSON that a person or a file gave.

    Raises:
        CommandError: It is no JSON; the message says where and why.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"{where} is no JSON: {error}", exit_code=EXIT_USAGE) from error


def listed(names: t.Iterable[str] | Mapping[str, object]) -> str:
    """Join names for a sentence; "none" when there are none."""
    return ", ".join(sorted(names)) or "none"
