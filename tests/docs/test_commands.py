# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every command that a page shows does what the page says."""

from __future__ import annotations

import typing as t

import pytest

from .pages import RUN, Block, pages
from .workplace import Workplace, alike, session


def _parameters() -> t.Iterator[object]:
    first: dict[str, str] = {}
    for block in (block for page in pages() for block in page.blocks):
        if block.language not in RUN:
            continue
        place = f"{block.page}:{block.line}"
        seen = first.setdefault(block.text, place)
        reason = block.not_run or (f"the same as {seen}" if seen != place else "")
        marks = [pytest.mark.skip(reason=reason)] if reason else []
        marks += [pytest.mark.turn(block.turn)] if block.turn else []
        yield pytest.param(block, id=place, marks=marks)


@pytest.mark.parametrize("block", _parameters())
def test_what_is_shown_works(block: Block, workplace: Workplace) -> None:
    if block.language == "console":
        for command, shown in session(block.text):
            done = workplace.run(workplace.here(command))
            lines = [workplace.here(line) for line in shown]
            assert alike(lines, done.stdout.splitlines()), f"{command}\nprinted\n{done.stdout}"
        return
    run = workplace.run_python if block.language == "python" else workplace.run_block
    done = run(block.text)
    assert done.returncode == 0, done.stdout


def test_output_that_differs_is_noticed() -> None:
    assert alike(["iris  1/1   8 ms"], ["iris 1/1 12 ms"])
    assert alike(["a", "...", "c"], ["a", "b", "b", "c"])
    assert not alike(["iris  ready"], ["iris  not ready"])
    assert not alike(["a"], ["a", "b"])
    assert not alike(["a", "b"], ["a"])
