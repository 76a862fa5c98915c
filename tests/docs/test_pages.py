# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pages point only at what is there: files, headings, commands, options, tests, and each other."""

from __future__ import annotations

import ast
import re
import shlex
import typing as t

import pytest
import typer.main

from inferencebox.cli._app import app

from .pages import ROOT, Page, pages

_PAGES = pages()
# A command as it stands in a line: not a part of a path or of the collection's name.
_COMMAND = re.compile(r"(?<![\w./-])inferencebox (?P<words>[^|;)`\n]+)")
_MAKE = re.compile(r"(?<![\w./-])make (?P<target>[a-z]+)\b")
_TEST = re.compile(r"(?P<file>tests/[\w/]+\.py)(::(?P<name>\w+))?")

_OPTIONS_OF_OTHERS = {"--cacert", "--resolve"}

each_page = pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.path)


@each_page
def test_every_link_of_a_page_leads_somewhere(page: Page) -> None:
    anchors = {one.path: one.anchors for one in _PAGES}
    for link in page.links:
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page.path).parent / path if path else ROOT / page.path
        assert target.exists(), f"{page.path}: {link}"
        if anchor:
            assert anchor in anchors[str(target.resolve().relative_to(ROOT))], link


def test_every_page_is_found_from_the_readme() -> None:
    known = {one.path: one for one in _PAGES}
    reached: set[str] = set()
    waiting = ["README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for link in known[path].links:
            target = ((ROOT / path).parent / link.partition("#")[0]).resolve()
            if str(target).startswith(str(ROOT)) and target.suffix == ".md":
                waiting.append(str(target.relative_to(ROOT)))
    assert reached == set(known)


@each_page
def test_every_command_and_option_of_a_page_exists(page: Page) -> None:
    shown = [block.text for block in page.blocks if block.language in ("shell", "console")]
    for text in (*shown, *page.code):
        for match in _COMMAND.finditer(text.replace("\\\n", " ")):
            _check_command(_words(match["words"]))
    known = _options(typer.main.get_command(app)) | _OPTIONS_OF_OTHERS
    for text in page.code:
        assert not text.startswith("--") or text.split()[0] in known, text


@each_page
def test_every_target_of_make_exists(page: Page) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for text in (*(block.text for block in page.blocks if block.language == "shell"), *page.code):
        for match in _MAKE.finditer(text):
            if not text.startswith("sudo"):
                assert match["target"] in targets, match[0]


@each_page
def test_every_test_that_a_page_names_exists(page: Page) -> None:
    for match in filter(None, map(_TEST.search, page.code)):
        tree = ast.parse((ROOT / match["file"]).read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert match["name"] is None or match["name"] in names, match[0]


def test_a_command_that_does_not_exist_is_noticed() -> None:
    for text in ("fly", "key fly", "up --fly", "token tenant-a --lifetme 8h"):
        with pytest.raises(AssertionError):
            _check_command(text.split())


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # a quote that ends beyond the pipe
        return text.split()


def _check_command(words: t.Sequence[str]) -> None:
    command: t.Any = typer.main.get_command(app)
    known = _own_options(command)
    rest = iter(words)
    for word in rest:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            assert name in known, f"inferencebox {' '.join(words)}: no option {name}"
            if known[name]:
                next(rest, None)
        elif hasattr(command, "commands"):
            assert word in command.commands, f"inferencebox {' '.join(words)}: no command {word}"
            command = command.commands[word]
            known |= _own_options(command)


def _own_options(command: t.Any) -> dict[str, bool]:
    """Options of a command by name: whether each takes a value."""
    named = {
        name: not getattr(parameter, "is_flag", False)
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    }
    return {"--help": False, **named}


def _options(command: t.Any) -> set[str]:
    below = [_options(one) for one in getattr(command, "commands", {}).values()]
    return set(_own_options(command)).union(*below)
