# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long each role of `site.yml` takes, by the moments at which Ansible says that its play begins."""

from __future__ import annotations

import itertools
import re
import subprocess
import time

from bench.errors import BenchError
from bench.machine import ROOT
from bench.summary import Json
from tests.node.own_node import OwnNode

_PLAY = re.compile(r"^PLAY \[(?P<name>.+)\] \**$|^PLAY (?P<end>RECAP) \**$")
_SHOWN_LINES = 20


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
    marks: list[tuple[str, float]] = []
    said: list[str] = []
    begin = time.monotonic()
    process = subprocess.Popen(
        own.command("site.yml"),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            if found := _PLAY.match(line):
                marks.append((found["name"] or found["end"], time.monotonic()))
    seconds = round(time.monotonic() - begin, 1)
    if process.returncode:
        raise BenchError(f"site.yml failed: {''.join(said[-_SHOWN_LINES:])}")
    return {"run": run, "seconds": seconds, "plays": spans(marks)}


def spans(marks: list[tuple[str, float]]) -> dict[str, float]:
    """Seconds from each mark to the next; the last one only ends what was before it."""
    return {
        name: round(later - start, 1) for (name, start), (_, later) in itertools.pairwise(marks)
    }
