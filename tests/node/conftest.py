# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that tests of several files judge, because its install takes minutes; and what is kept when one fails."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.behaviour.client import fetch_token
from tests.behaviour.platform_json import Platform
from tests.node import failure
from tests.node.own_node import OwnNode

# Filling the bundle takes minutes and gigabytes; what is there is not made again.
_BUNDLE = Path(__file__).resolve().parents[2] / ".cache/node/bundle"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node with the platform of inventories/node, installed by site.yml from a bundle alone."""
    own = OwnNode(tmp_path_factory.mktemp("platform"), _BUNDLE)
    own.bundle.mkdir(parents=True, exist_ok=True)
    own.play("playbooks/bundle.yml")
    try:
        try:
            own.play("site.yml")
        except AssertionError:
            print(failure.keep(own, "the install"))
            raise
        yield own
    finally:
        own.remove()


@pytest.fixture(scope="session")
def platform(installed: OwnNode) -> Platform:
    """That platform, as its callers know it."""
    return Platform.read(installed.home / "platform.json")


@pytest.fixture(scope="session")
def tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    return {tenant: fetch_token(platform, tenant) for tenant in sorted(platform.tenants)}


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
