# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1 with its controllers: what callers get, and what a run changes."""

from __future__ import annotations

import pytest

from tests.node import judging, machine
from tests.node.own_node import OwnNode

pytestmark = [machine.needed, pytest.mark.proves("L4", "tier1", "tier1-ai")]


@pytest.mark.parametrize("options", [["--check"], []])
def test_a_second_run_changes_nothing_and_says_so_before(
    installed: OwnNode, options: list[str]
) -> None:
    assert installed.play("site.yml", *options) == 0


def test_it_answers_its_callers_and_nobody_else(installed: OwnNode) -> None:
    judging.judge(installed)
