# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the pages: blocks of commands, links, quoted code.

A fenced block is run when its language is shell, console or python. Further words of its info string:

    not-run="REASON"   it is not run; pytest lists the reason
    later              it is run after everything else, because it stops the platform
    last               it is run after that, because it removes the platform
"""

from __future__ import annotations

import itertools
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
RUN = ("shell", "console", "python")

_NOT_RUN = re.compile(r'not-run="(?P<reason>[^"]+)"')
_TURNS = {"later": 1, "last": 2}
# How GitHub makes an anchor of a heading: lower case, no punctuation, dashes for blanks.
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
# Pages in the order in which a reader meets them; the rest follows by name.
_FIRST = ("README.md", "docs/getting-started.md", "docs/operations.md")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: Page, relative to the repository.
        line: Line of its fence, from 1.
        heading: The heading above it.
        language: First word of its info string.
        text: Its content.
        not_run: Why it is not run; empty when it is.
        turn: When it is run: 0 in the order of the pages, then 1 (later) and 2 (last).
    """

    page: str
    line: int
    heading: str
    language: str
    text: str
    not_run: str
    turn: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        path: Relative to the repository.
        blocks: Its fenced blocks.
        links: Targets of its links.
        code: Its code between backticks.
        anchors: What a link can name after `#`.
    """

    path: str
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    code: tuple[str, ...]
    anchors: frozenset[str]


def pages() -> list[Page]:
    """Every page, in the order in which they are read."""
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    rest = sorted(found - set(_FIRST))
    return [_read(path) for path in (*_FIRST, *rest)]


def _read(path: str) -> Page:
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / path).read_text("utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    headings = [
        after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"
    ]
    return Page(
        path=path,
        blocks=tuple(_blocks(path, tokens)),
        links=tuple(str(one.attrs["href"]) for one in inline if one.type == "link_open"),
        code=tuple(one.content for one in inline if one.type == "code_inline"),
        anchors=frozenset(map(_anchor, headings)),
    )


def _blocks(path: str, tokens: t.Sequence[Token]) -> t.Iterator[Block]:
    heading = ""
    for before, token in itertools.pairwise(tokens):
        if before.type == "heading_open":
            heading = token.content
        if token.type != "fence" or token.map is None:
            continue
        language, _, words = token.info.partition(" ")
        reason = _NOT_RUN.search(words)
        yield Block(
            page=path,
            line=token.map[0] + 1,
            heading=heading,
            language=language,
            text=token.content,
            not_run=reason["reason"] if reason else "",
            turn=max((_TURNS.get(word, 0) for word in words.split()), default=0),
        )


def _anchor(heading: str) -> str:
    return _NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-")
