# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every message that the page about troubleshooting quotes is really said."""

from __future__ import annotations

import pytest

from .failures import FAILURES, Failures
from .pages import Block, pages
from .workplace import Workplace, steady

_PAGE = "docs/troubleshooting.md"


def _quoted() -> list[Block]:
    (page,) = (page for page in pages() if page.path == _PAGE)
    return [block for block in page.blocks if block.language == "text"]


@pytest.fixture(scope="module")
def failures(workplace: Workplace) -> Failures:
    """Failures, each produced once."""
    return Failures(workplace)


def test_each_quoted_message_is_produced_and_each_failure_is_described() -> None:
    assert sorted(block.heading for block in _quoted()) == sorted(FAILURES)


def test_status_tells_the_reasons_that_up_told(workplace: Workplace, failures: Failures) -> None:
    said, platform = failures.broken
    assert "Everything else is up. Mend the model and run this again." in said, said
    status = workplace.run("inferencebox status")
    assert status.returncode == 1, status.stdout
    # One that is late may answer by now.
    broken = {name for name in platform.models if f"\n{name}: " in status.stdout} - {"late"}
    assert len(broken) == 6, status.stdout
    assert all(f"- {name}: " in said for name in broken), said


@pytest.mark.parametrize("block", _quoted(), ids=lambda block: block.heading)
def test_the_message_is_really_said(block: Block, workplace: Workplace, failures: Failures) -> None:
    said = FAILURES[block.heading](failures)
    for line in block.text.splitlines():
        assert steady(workplace.here(line)) in steady(said), said
