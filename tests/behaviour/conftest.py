# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures: which platform is judged, and who calls it.

INFERENCEBOX_PLATFORM names the platform.json of a running platform. Without it the suite starts a
platform of its own from inventories/local and removes it at the end.
"""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from .client import Caller, fetch_token
from .own_platform import OwnPlatform
from .platform_json import Platform

_VARIABLE = "INFERENCEBOX_PLATFORM"
# Set it to 1 to let the suite kill processes of the platform that INFERENCEBOX_PLATFORM names.
_DISRUPTIVE = "INFERENCEBOX_DISRUPTIVE"
_own = pytest.StashKey[OwnPlatform]()


def pytest_configure(config: pytest.Config) -> None:
    """Names the markers."""
    config.addinivalue_line("markers", "disruptive: stops processes or changes the inventory")


@pytest.fixture(scope="session")
def own_platform(pytestconfig: pytest.Config) -> t.Iterator[OwnPlatform | None]:
    """The platform that the suite started; None when it judges a running one."""
    if os.environ.get(_VARIABLE):
        yield None
        return
    started = OwnPlatform()
    pytestconfig.stash[_own] = started
    try:
        try:
            started.up()
        except RuntimeError as error:
            pytest.exit(str(error), returncode=1)
        yield started
    finally:
        started.remove()


@pytest.fixture(scope="session")
def platform(own_platform: OwnPlatform | None) -> Platform:
    """The platform under test."""
    if own_platform is not None:
        return Platform.read(own_platform.platform_json)
    return Platform.read(Path(os.environ[_VARIABLE]))


@pytest.fixture(scope="session")
def home(platform: Platform) -> Path:
    """The state directory, for tests of the machine itself."""
    if platform.target != "local" or platform.home is None:
        pytest.skip("needs the local target: this platform's processes run elsewhere")
    return platform.home


@pytest.fixture
def may_disrupt(own_platform: OwnPlatform | None) -> None:
    """Skips tests that stop processes, unless the platform is the suite's own."""
    if own_platform is None and os.environ.get(_DISRUPTIVE) != "1":
        pytest.skip(f"would disturb a running platform; set {_DISRUPTIVE}=1 to allow it")


@pytest.fixture(scope="session")
def tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    try:
        return {tenant: fetch_token(platform, tenant) for tenant in sorted(platform.tenants)}
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> t.Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the own platform logged last beside a failure."""
    report = yield
    own = item.config.stash.get(_own, None)
    if report.failed and own is not None:
        report.sections.append(("last lines of the platform's logs", own.last_log_lines()))
    return report
