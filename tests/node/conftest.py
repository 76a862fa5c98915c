# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A test that fails leaves behind what tells why, and says where."""

from __future__ import annotations

import typing as t

import pytest

from tests.node import failure
from tests.node.own_node import OwnNode


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> t.Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a node tells, while it is there."""
    report = yield
    nodes = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, OwnNode)]
    if report.failed and nodes:
        report.sections.append(("the node", failure.keep(nodes[0], item.name)))
    return report
