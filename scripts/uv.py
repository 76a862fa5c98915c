# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m scripts.uv ...`: .venv's uv, asking the package index that pip is configured with on this machine."""

from __future__ import annotations

import os
import sys

from scripts.bootstrap import ENVIRONMENT, uv_settings

if __name__ == "__main__":
    uv = str(ENVIRONMENT / "bin/uv")
    os.execve(uv, [uv, *sys.argv[1:]], uv_settings(os.environ))  # noqa: S606 - no shell is wanted
