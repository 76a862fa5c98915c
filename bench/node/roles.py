# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long each role of `site.yml` takes, by the moments at which Ansible says that its play begins."""

from __future__ import annotations

import itertools
import re
import time

from bench import watched
from bench.machine import ROOT
from bench.summary import Json
from tests.node.own_node import OwnNode

_PLAY = re.compile(r"^PLAY \[(?P<name>.+)\] \**$|^PLAY (?P<end>RECAP) \**$")


def measure(own: OwnNode, run: str) -> Json:
    """Run `site.yml`.

    Args:
        own: The node, there or not.
        run: What the results call it.

    Returns:
        {run, seconds, plays: {name: seconds}}: `seconds` is the whole command.

    Raises:
        BenchError: It failed.
    """
    begin = time.monotonic()
    marks = [
        (found["name"] or found["end"], moment)
        for line, moment in watched.lines("site.yml", own.command("site.yml"), ROOT)
        if (found := _PLAY.match(line))
    ]
    seconds = round(time.monotonic() - begin, 1)
    return {"run": run, "seconds": seconds, "plays": spans(marks)}


def spans(marks: list[tuple[str, float]]) -> dict[str, float]:
    """Seconds from each mark to the next; the last one only ends what was before it."""
    return {
        name: round(later - start, 1) for (name, start), (_, later) in itertools.pairwise(marks)
    }
