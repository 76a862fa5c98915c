# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory of the idle platform, process by process."""

from __future__ import annotations

import time

from . import machine, process
from .subject import Subject
from .summary import Json

# What a start leaves behind is settled, and nothing was asked yet.
_SETTLE_SECONDS = 10.0
_MODEL = "model."


def measure(subject: Subject, *, quick: bool) -> Json:
    """Look at a platform that was started and asked nothing.

    Returns:
        {measured, settle_seconds, processes: [{name, model, pss, rss}]}, KiB. `model` marks the model servers.
    """
    settle = 1.0 if quick else _SETTLE_SECONDS
    time.sleep(settle)
    rows = [
        {
            # Of a model server's name only the model says something: the rest is a digest.
            "name": name.split(".")[2] if name.startswith(_MODEL) else name,
            "model": name.startswith(_MODEL),
            **process.memory(pid),
        }
        for name, pid in subject.pids().items()
    ]
    return {
        "measured": machine.facts(quick=quick, runtime=subject.home / "runtime"),
        "settle_seconds": settle,
        "processes": rows,
    }
