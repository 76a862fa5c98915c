# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Model servers find bytecode for all that they import: their users could not write it."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.unit.runtime_environment import runtime_python

_WITHOUT_BYTECODE = """
import json, os, sys
import {name}
files = [(one.__file__, one.__cached__) for one in list(sys.modules.values())
         if getattr(one, "__cached__", None) and "site-packages" in str(one.__file__)]
print(json.dumps([len(files), [source for source, cached in files if not os.path.exists(cached)]]))
"""


@pytest.mark.parametrize(
    "name", ["inferencebox.serving.predictive", "sklearn.ensemble", "lightgbm", "xgboost"]
)
def test_everything_imported_has_bytecode(name: str) -> None:
    # -B: what is missing stays missing.
    command = [str(runtime_python()), "-I", "-B", "-c", _WITHOUT_BYTECODE.format(name=name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, missing = json.loads(done.stdout.splitlines()[-1])
    assert found > 100
    assert missing == []
