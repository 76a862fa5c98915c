# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Molecule scenario from its creation to its destruction, and what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.behaviour import processes

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# Installing the runtime environment takes most of it, where the network or the machine is slow.
_SECONDS = 1800
_SHOWN_LINES = 80
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Of pytest: what a failed test compared, and its name.
_REASON = re.compile(r"(E   |FAILED )")
_SKIPPED_STEP = re.compile(r"➜ \w+: Executed: .*(Missing|Skipped|Failed)")


@dataclass(frozen=True)
class Run:
    """A scenario that has ended.

    Attributes:
        returncode: Molecule's exit status.
        said: What it printed.
        scratch: Its temporary directory; what it left there was forgotten.
    """

    returncode: int
    said: str
    scratch: Path

    @property
    def end(self) -> str:
        """The last lines, and what pytest said of a failed test, for a failure's report."""
        lines = self.said.splitlines()
        shown = lines[-_SHOWN_LINES:]
        reasons = [line for line in lines[:-_SHOWN_LINES] if _REASON.match(line)]
        return "\n".join([*reasons, *shown])

    def judge(self, warned_of: t.Collection[str] = ()) -> None:
        """Check that each step did something, that nobody was warned, and that nothing is left.

        Args:
            warned_of: Parts of warnings that do no harm.

        Raises:
            AssertionError: One of it is not so.
        """
        assert self.returncode == 0, self.end
        # A scenario that has no tests, or a playbook too few, passes for Molecule.
        passed = re.findall(r"=+ \d+ passed", self.said)
        assert len(passed) == self.said.count("verify: Executing\n"), self.end
        assert _SKIPPED_STEP.search(self.said) is None, self.end
        warned = [
            line
            for line in self.said.splitlines()
            if "WARNING" in line and not any(part in line for part in warned_of)
        ]
        assert not warned, "\n".join(warned)
        left = [path.name for path in self.scratch.iterdir()]
        assert left == [], f"files are left: {left}"
        assert processes.everything(self.scratch) == [], "processes are left"


def run(directory: Path, scenario: str, environment: t.Mapping[str, str]) -> Run:
    """Test a scenario.

    Args:
        directory: Where it may write.
        scenario: Its name.
        environment: What it finds in its environment besides, or instead of, what is there; programs on its PATH come
            after the project's own.
    """
    scratch = directory / scenario
    scratch.mkdir()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    inherited |= environment
    done = subprocess.run(
        [BIN / "molecule", "test", "--no-command-borders", "--scenario-name", scenario],
        cwd=ROOT,
        env={
            **inherited,
            # Without colours, Molecule words its lines otherwise.
            "PY_COLORS": "1",
            "PATH": f"{BIN}{os.pathsep}{inherited['PATH']}",
            "TMPDIR": str(scratch),
            # What Molecule remembers lies here.
            "ANSIBLE_HOME": str(directory / "ansible" / scenario),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Run(done.returncode, _COLOUR.sub("", done.stdout), scratch)
