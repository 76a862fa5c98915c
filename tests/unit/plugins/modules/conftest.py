# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules as Ansible runs them: arguments in, one JSON document out."""

from __future__ import annotations

import grp
import json
import os
import pwd
import types
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

Json = dict[str, t.Any]
Run = t.Callable[..., Json]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a module's `main` and returns its result."""

    def call(module: types.ModuleType, *, check: bool = False, **arguments: t.Any) -> Json:
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        with patch_module_args(given), pytest.raises(SystemExit) as end:
            module.main()
        result = dict(json.loads(capsys.readouterr().out))
        assert bool(end.value.code) == bool(result.get("failed")), result
        return result

    return call


@pytest.fixture
def me() -> Json:
    """Owner and group of files that a test writes: whoever runs it."""
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    return {"owner": user, "group": group}
