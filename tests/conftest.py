# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests of several folders share: a platform, because starting one takes most of the time, and what they prove.

INFERENCEBOX_PLATFORM names the platform.json of a running platform. Without it the tests start a platform of their
own from inventories/local and remove it at the end.
"""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from . import levels
from .behaviour.own_platform import PLATFORM_VARIABLE, OwnPlatform

if t.TYPE_CHECKING:
    from xdist.remote import Producer

    from .side_by_side import BySuite

_own = pytest.StashKey[OwnPlatform]()
_record = pytest.StashKey[levels.Record]()
_partly = pytest.StashKey[set[Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option of `make levels`."""
    parser.addoption(
        "--write-levels", action="store_true", help="write the table of levels in docs"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Explains the mark and keeps what tests prove."""
    text = "proves(level, *features): what it is a proof of; see tests/levels.py"
    config.addinivalue_line("markers", text)
    config.stash[_record] = levels.Record()
    config.stash[_partly] = set()
    if config.getoption("--write-levels") and any("::" in each for each in config.args):
        raise pytest.UsageError("--write-levels takes whole files of tests")
    if config.getoption("--write-levels") and config.getoption("numprocesses", None):
        # Each of them would write what it has seen alone.
        raise pytest.UsageError("--write-levels takes one process")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> BySuite:
    """Chooses who runs what, side by side (`-n 2`)."""
    from .side_by_side import BySuite  # whoever verifies a platform need not have xdist

    return BySuite(config, log)


def pytest_deselected(items: t.Sequence[pytest.Item]) -> None:
    """Notes files that do not run whole."""
    for item in items:
        item.config.stash[_partly].add(item.path)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Writes the table where it is asked for, and the run came to its end."""
    ended = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    if session.config.getoption("--write-levels") and ended and not session.shouldfail:
        partly = session.config.stash[_partly]
        ran = {item.path for item in session.items} - partly
        levels.write(session.config.stash[_record], ran)


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
    """Notes what a test proved, and shows what the own platform logged last beside a failure."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        for mark in item.iter_markers("proves"):
            level, *features = mark.args
            assert level in levels.LEVELS
            assert set(features) <= set(levels.FEATURES)
            item.config.stash[_record].add(level, features, passed=report.outcome == "passed")
    own = item.config.stash.get(_own, None)
    if report.failed and own is not None:
        report.sections.append(("last lines of the platform's logs", own.last_log_lines()))
    return report
