# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that all tests of this folder look at, with its stores."""

from __future__ import annotations

import typing as t

import pytest

from tests.cluster.certificates import Authority
from tests.node import installing
from tests.node.own_node import OwnNode
from tests.node.stores import inventory, stores


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """What vouches for the stores, and for nothing that anybody else trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="package")
def node(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> t.Iterator[OwnNode]:
    """A node whose platform knows of both models; the stores are there, and one is not opened yet."""
    pem = authority.certificate.read_text()
    directory = tmp_path_factory.mktemp("stores")
    both = inventory.variables(pem, *inventory.SOURCES)
    # The stores run in its cluster: what is fetched from them comes after.
    with installing.installed(directory, both, first=inventory.variables(pem)) as own:
        yield own


@pytest.fixture(scope="package")
def password(node: OwnNode, authority: Authority) -> str:
    """What opens the store that speaks S3; the tenant's Secret holds another."""
    return stores.start(node, authority)
