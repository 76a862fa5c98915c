# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A clock on which waiting costs no time."""

from __future__ import annotations


class Clock:
    """Seconds go by when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        """Tell the seconds."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let some go by."""
        self.seconds += seconds
