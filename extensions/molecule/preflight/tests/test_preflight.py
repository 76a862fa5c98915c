# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks before anything changes change nothing themselves."""

from __future__ import annotations

import os
import pwd
import typing as t


def test_nothing_is_made_but_the_lock_of_a_run(instance: t.Any) -> None:
    made = [name for _, _, names in os.walk(instance.directory) for name in names]
    assert made == [".run.json"]


def test_nothing_runs(processes: t.Any) -> None:
    assert processes() == []


def test_no_user_is_made(instance: t.Any) -> None:
    assert not [user for user in pwd.getpwall() if user.pw_name.startswith(f"ib-{instance.name}-")]
