# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import subprocess
import sys


def test_modules_start_without_the_command_line_of_httpx() -> None:
    api = "ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api"
    words = f"import sys, {api}; print(*{{'httpx', 'rich', 'click'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["httpx"]
