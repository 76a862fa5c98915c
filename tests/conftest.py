# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that the behaviour suite and the tests of the documentation share: starting one takes most of the time.

INFERENCEBOX_PLATFORM names the platform.json of a running platform. Without it the tests start a platform of their
own from inventories/local and remove it at the end.
"""

from __future__ import annotations

import os
import typing as t

import pytest

from .behaviour.own_platform import PLATFORM_VARIABLE, OwnPlatform

_own = pytest.StashKey[OwnPlatform]()


@pytest.fixture(scope="session")
def own_platform(pytestconfig: pytest.Config) -> t.Iterator[OwnPlatform | None]:
    """The platform that the tests started; None when they judge a running one."""
    if os.environ.get(PLATFORM_VARIABLE):
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
