# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import grp
import os
import pwd
import shutil
import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import users
from ansible_collections.inferencebox.platform.plugins.modules import unix_users

from .conftest import Json, Run

# Names that no machine has, in the order in which they are removed.
_NAMES = [f"ib-test-{os.getpid()}-two", f"ib-test-{os.getpid()}-one"]
_USERS = [{"name": _NAMES[1]}, {"name": _NAMES[0], "groups": [_NAMES[1]]}]


@pytest.fixture
def tidy() -> t.Iterator[None]:
    """Removes the users whatever happens."""
    yield
    users.remove(_NAMES)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users")
@pytest.mark.usefixtures("tidy")
def test_users_are_created_and_removed_once(run: Run) -> None:
    created = [_NAMES[1], _NAMES[0]]
    foretold = run(unix_users, check=True, users=_USERS)
    assert (foretold["changed"], foretold["created"]) == (True, created)
    assert users.missing(_NAMES) == _NAMES
    made = run(unix_users, users=_USERS)
    assert (made["created"], made["removed"]) == (created, [])
    assert made["diff"] == {"before": "", "after": "".join(f"{name}\n" for name in created)}
    entry = pwd.getpwnam(_NAMES[0])
    assert (entry.pw_dir, entry.pw_shell) == ("/nonexistent", "/usr/sbin/nologin")
    assert entry.pw_uid < 1000
    assert grp.getgrgid(entry.pw_gid).gr_name == _NAMES[0]
    assert grp.getgrnam(_NAMES[1]).gr_mem == [_NAMES[0]]
    assert run(unix_users, users=_USERS)["changed"] is False
    foretold = run(unix_users, check=True, absent=_NAMES)
    assert (foretold["changed"], foretold["removed"]) == (True, _NAMES)
    assert run(unix_users, absent=_NAMES)["removed"] == _NAMES
    assert users.missing(_NAMES) == _NAMES
    assert not [entry for entry in grp.getgrall() if entry.gr_name in _NAMES]
    assert run(unix_users, absent=_NAMES)["changed"] is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users")
@pytest.mark.usefixtures("tidy")
def test_a_group_that_was_left_is_taken_over(run: Run) -> None:
    run(unix_users, users=_USERS)
    # Out of order: the first one's group still has a member, and stays.
    run(unix_users, absent=[_NAMES[1]])
    assert run(unix_users, users=_USERS)["created"] == [_NAMES[1]]
    assert grp.getgrgid(pwd.getpwnam(_NAMES[1]).pw_gid).gr_name == _NAMES[1]


def test_what_is_refused_is_told(run: Run) -> None:
    failed = run(unix_users, users=[{"name": "ib test"}])
    assert failed["failed"] is True
    assert failed["msg"].startswith("useradd ib test: ")


def test_a_machine_without_the_programs_is_told(
    run: Run, me: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setenv("PATH", "/nowhere")
    assert "cannot run userdel" in run(unix_users, absent=[me["owner"]])["msg"]
