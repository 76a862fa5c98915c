# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A place to type commands, on the platform that all tests share, and the order of what is typed there."""

from __future__ import annotations

import typing as t

import pytest

from ..behaviour.own_platform import OwnPlatform
from .workplace import Workplace


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker."""
    config.addinivalue_line(
        "markers", "turn(number): stops or removes the platform, so it comes last"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what stops or removes the platform behind everything else."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    marker = item.get_closest_marker("turn")
    return int(marker.args[0]) if marker else 0


@pytest.fixture(scope="session")
def workplace(own_platform: OwnPlatform | None) -> t.Iterator[Workplace]:
    """Where commands of the documentation are run."""
    if own_platform is None:
        pytest.skip(
            "changes the inventory and stops processes, and this platform is not the tests' own"
        )
    place = Workplace(own_platform)
    yield place
    if own_platform.platform_json.exists():
        # By what was applied last: it names users and tenants that the first inventory does not have.
        place.run("inferencebox clean --yes")
