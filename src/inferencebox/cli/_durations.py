# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Durations as people write them."""

from __future__ import annotations

import re

import typer

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def duration(text: str | float) -> float:
    """Turn ``90s``, ``15m``, ``1h`` or ``7d`` into seconds.

    Raises:
        BadParameter: It is none of these, or zero.
    """
    match = _FORM.fullmatch(str(text))
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise typer.BadParameter(
            f"{text!r} is no duration; write a number and a unit, as 90s, 15m, 1h or 7d"
        )
    return seconds
