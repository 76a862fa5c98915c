# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""httpx without its command line, which it imports wherever rich and click are: half of what every module's start takes.

https://github.com/encode/httpx, httpx/__init__.py: it does without where that import fails.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how Python is told that there is no such module

import httpx  # noqa: E402 - only afterwards

__all__ = ["httpx"]
