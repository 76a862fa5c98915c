# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After the removal: no file, no process, no user, no port."""

from __future__ import annotations

import grp
import os
import pwd
import typing as t


def test_no_file_is_left(instance: t.Any) -> None:
    assert os.listdir(instance.directory) == []


def test_no_process_is_left(processes: t.Any) -> None:
    assert processes() == []


def test_no_user_or_group_is_left(instance: t.Any) -> None:
    prefix = f"ib-{instance.name}-"
    assert [user.pw_name for user in pwd.getpwall() if user.pw_name.startswith(prefix)] == []
    assert [group.gr_name for group in grp.getgrall() if group.gr_name.startswith(prefix)] == []


def test_nothing_listens(host: t.Any, instance: t.Any) -> None:
    for port in instance.ports:
        assert not host.socket(f"tcp://127.0.0.1:{port}").is_listening
