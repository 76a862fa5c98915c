# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that all tests of this folder judge, because its install takes minutes."""

from __future__ import annotations

import typing as t

import pytest

from tests.behaviour.client import fetch_tokens
from tests.behaviour.platform_json import Platform
from tests.node import installing
from tests.node.inventory import unlimited
from tests.node.own_node import OwnNode


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node with the platform of inventories/node, installed by site.yml from a bundle alone."""
    with installing.installed(tmp_path_factory.mktemp("platform"), unlimited()) as own:
        yield own


@pytest.fixture(scope="package")
def platform(installed: OwnNode) -> Platform:
    """That platform, as its callers know it."""
    return Platform.read(installed.home / "platform.json")


@pytest.fixture(scope="package")
def tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    return fetch_tokens(platform)
