# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The behaviour suite, let loose on a platform on a node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.node.own_node import OwnNode

_ROOT = Path(__file__).resolve().parents[2]
_SHOWN_CHARACTERS = 6000
# Each key is a run of a playbook there, longer than keys of these tests live; the node's own tests judge keys and their limit.
_LEFT_OUT = ("test_keys.py", "test_limits.py")


def judge(installed: OwnNode) -> None:
    """Let the behaviour suite ask the platform as its callers do; known differences of its gateway are expected to fail."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "--color=no",
        "tests/behaviour",
        *(f"--ignore=tests/behaviour/{file}" for file in _LEFT_OUT),
    ]
    environment = {**os.environ, "INFERENCEBOX_PLATFORM": str(installed.home / "platform.json")}
    done = subprocess.run(
        command,
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-_SHOWN_CHARACTERS:]
