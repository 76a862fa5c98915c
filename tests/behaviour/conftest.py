# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures: which platform is judged, and who calls it. Where it comes from stands in tests/conftest.py."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from . import differences
from .client import Caller, fetch_tokens
from .own_platform import PLATFORM_VARIABLE, OwnPlatform
from .platform_json import Platform

# Set it to 1 to let the suite kill processes of the platform that INFERENCEBOX_PLATFORM names.
_DISRUPTIVE = "INFERENCEBOX_DISRUPTIVE"


def pytest_configure(config: pytest.Config) -> None:
    """Names the markers."""
    config.addinivalue_line("markers", "disruptive: stops processes or changes the inventory")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expects the failures that come of a gateway's known differences, where the platform that is judged has it."""
    described = os.environ.get(PLATFORM_VARIABLE)
    # The `local` target names no engine.
    if not described or not Platform.read(Path(described)).gateway:
        return
    for item in items:
        if found := differences.of(f"{item.path.name}::{item.name}"):
            item.add_marker(pytest.mark.xfail(reason=found.said, strict=True))


@pytest.fixture(scope="session")
def platform(own_platform: OwnPlatform | None) -> Platform:
    """The platform under test."""
    if own_platform is not None:
        return Platform.read(own_platform.platform_json)
    return Platform.read(Path(os.environ[PLATFORM_VARIABLE]))


@pytest.fixture(scope="session")
def home(platform: Platform) -> Path:
    """The state directory, for tests of the machine itself."""
    if platform.target != "local" or platform.home is None:
        pytest.skip("needs the local target: this platform's processes run elsewhere")
    return platform.home


@pytest.fixture(scope="session")
def own(own_platform: OwnPlatform | None) -> OwnPlatform:
    """The suite's own platform: another's inventory and keys are not this suite's to change."""
    if own_platform is None:
        pytest.skip("changes the platform, and this one is not the suite's")
    return own_platform


@pytest.fixture
def may_disrupt(own_platform: OwnPlatform | None) -> None:
    """Skips tests that stop processes, unless the platform is the suite's own."""
    if own_platform is None and os.environ.get(_DISRUPTIVE) != "1":
        pytest.skip(f"would disturb a running platform; set {_DISRUPTIVE}=1 to allow it")


@pytest.fixture(scope="session")
def tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    try:
        return fetch_tokens(platform)
    except RuntimeError as error:
        # Hundreds of tests need one: better one sentence than hundreds of the same failure.
        pytest.exit(f"no token: {error}", returncode=1)


@pytest.fixture(scope="session")
def callers(platform: Platform, tokens: dict[str, str]) -> t.Iterator[dict[str, Caller]]:
    """One identified caller for each tenant."""
    made = {tenant: Caller(platform, token) for tenant, token in tokens.items()}
    yield made
    for caller in made.values():
        caller.close()


@pytest.fixture(scope="session")
def nobody(platform: Platform) -> t.Iterator[Caller]:
    """A caller without any identity."""
    with Caller(platform) as caller:
        yield caller
