# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks before anything changes change nothing themselves."""

from __future__ import annotations

import os
import pwd
import typing as t


def test_nothing_is_made(instance: t.Any) -> None:
    assert os.listdir(instance.directory) == []


def test_nothing_runs(processes: t.Any) -> None:
    assert processes() == []


def test_no_user_is_made(instance: t.Any) -> None:
    assert not [user for user in pwd.getpwall() if user.pw_name.startswith(f"ib-{instance.name}-")]
