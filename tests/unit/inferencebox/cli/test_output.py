# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How commands end: exit codes, sentences, never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    InventoryError,
    PlatformError,
    Problem,
)

from inferencebox.cli import _output

from .conftest import Cli

_MAIN = "from inferencebox.cli import main; raise SystemExit(main())"


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PlatformError("it is broken", "Mend it."), 1, "error: it is broken\nMend it.\n"),
        (_output.CommandError("not there", exit_code=3), 3, "error: not there\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (typer.Abort(), 130, "error: interrupted\n"),
        (
            InventoryError([Problem("tenants[0].name", "A", "is no label", "Use a-z.")]),
            2,
            "error: the inventory has 1 problem:\n  - tenants[0].name: is no label (found 'A'). Use a-z.\n",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_become_a_sentence_and_a_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    assert _output.guarded(lambda: _raise(error)) == code
    assert capsys.readouterr().err == said


def test_an_unexpected_error_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(_output.TRACEBACK_VARIABLE, raising=False)
    assert _output.guarded(lambda: _raise(ZeroDivisionError("by [zero]"))) == 1
    said = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: by [zero]" in said
    assert "Traceback" not in said
    monkeypatch.setenv(_output.TRACEBACK_VARIABLE, "1")
    with pytest.raises(ZeroDivisionError):
        _output.guarded(lambda: _raise(ZeroDivisionError()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["token"],
        ["token", "a", "--lifetime", "soon"],
        ["key"],
        ["key", "create", "tenant-a"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_names_the_help(cli: Cli, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.code == 2
    assert re.search(r"See `inferencebox.* --help`", result.err)


def test_no_command_shows_all_commands(cli: Cli) -> None:
    result = cli()
    assert result.code == 2
    for name in ("up", "down", "clean", "status", "verify", "token", "key", "models", "tenants"):
        assert f"\n  {name} " in result.out
    for name in ("predict", "chat", "logs", "config"):
        assert f"\n  {name} " in result.out


def test_the_version_is_printed(cli: Cli) -> None:
    result = cli("--version")
    assert result.code == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", result.out)


def test_tables_align_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_table(["NAME", ">N"], [["x" * 300, "1"], ["y", "22"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["x" * 300, "1"]
    assert len(lines[1]) == len(lines[2])
    assert lines[2].endswith(" 22")


@pytest.mark.parametrize("command", [["models"], ["models", "--json"], ["config", "schema"]])
def test_a_reader_that_has_enough_is_no_failure(home: Path, command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _MAIN, *command],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "INFERENCEBOX_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
