# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run what a page shows, on the tests' own platform instead of the one that the page speaks of."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from ..behaviour.own_platform import OwnPlatform
from .pages import ROOT

# One command may install a whole inventory on two busy cores.
_SECONDS = 300.0
_ANY_LINES = "..."
# Not every machine that runs the tests can have it.
_PROMETHEUS = re.compile(r"^(prometheus |Prometheus: |No Prometheus: )")

# What differs from run to run: ids, digests, numbers with their unit, and the dash of a number that is missing.
_VARIES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\.[0-9a-f]{8}\.\d+\b|\b[0-9a-f]{12,64}\b"
    r"|(?<![\w.])\d+(\.\d+)?( ms|[smhd]\b)?|(?<=\s)-(?=\s|$)"
)


class Workplace:
    """A place to type commands: a checkout, a shell that remembers exported variables, a platform."""

    def __init__(self, own: OwnPlatform) -> None:
        """Copy the inventory that pages speak of, with the tests' own name, directory and ports."""
        self.own = own
        self.files = own.directory / "docs"
        self.inventory = self.files / "local"
        shutil.copytree(ROOT / "inventories/local", self.inventory)
        # Sorted after the topics, so that it wins.
        where = self.inventory / "group_vars/all/zz-where.yml"
        where.write_text("---\n" + yaml.safe_dump(own.where()), encoding="utf-8")
        self._state = self.files / "exported"
        self._state.touch()
        gateway = own.where()["platform_gateway"]
        figures = own.where()["platform_observability"]
        self._places = {
            "~/.local/state/inferencebox/demo": str(own.home),
            "inventories/": f"{self.files}/",
            "~/demo-backup.tgz": f"{self.files}/backup.tgz",
            "/tmp/flowers": f"{self.files}/flowers",
            "/tmp/collection": f"{self.files}/collection",
            "8443": str(gateway["https_port"]),
            "9443": str(figures["prometheus_port"]),
            "9444": str(figures["metrics_port"]),
        }

    def here(self, text: str) -> str:
        """A text of a page with the places, ports and names of this platform."""
        # In one pass: a port of ours may hold the digits of one of theirs.
        names = re.compile("|".join(map(re.escape, self._places)))
        text = names.sub(lambda match: self._places[match[0]], text)
        return re.sub(r"\bdemo\b", self.own.name, text)

    def run(
        self, script: str, *, inventory: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in the checkout.

        Args:
            script: For bash, with this platform's names.
            inventory: What the commands take when none is named; by default the copy of inventories/local.

        Returns:
            Its exit status and output; standard error is in it where a terminal would show it.
        """
        meant = str(inventory or self.inventory)
        prepared = [
            "set -euo pipefail",
            f". {self._state}",
            # After what earlier blocks exported, which is the same for them.
            f"export PATH={Path(sys.executable).parent}:$PATH INFERENCEBOX_HOME={self.own.home}",
            f"export INFERENCEBOX_INVENTORY={meant} ANSIBLE_INVENTORY={meant}",
        ]
        return subprocess.run(
            ["bash", "-c", "\n".join([*prepared, script])],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def run_block(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a block of commands; what it exports is there for the next one."""
        return self.run(f"{self.here(text)}\nexport -p > {self._state}")

    def run_python(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a program that trusts the platform's certificate authority."""
        program = self.files / "program.py"
        program.write_text(self.here(text), encoding="utf-8")
        return self.run(f"SSL_CERT_FILE={self.own.home}/pki/ca.crt python {program}")


def session(text: str) -> list[tuple[str, list[str]]]:
    """Split a console block into commands and the lines that each printed."""
    steps: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ "), []))
        elif steps[-1][0].endswith("\\") and not steps[-1][1]:
            steps[-1] = (f"{steps[-1][0]}\n{line}", [])
        else:
            steps[-1][1].append(line)
    return steps


def alike(shown: t.Sequence[str], printed: t.Sequence[str]) -> bool:
    """Whether lines of a page are what was printed, apart from what varies; `...` stands for any lines."""
    return _alike(
        [line for line in shown if not _PROMETHEUS.match(line)],
        [line for line in printed if not _PROMETHEUS.match(line)],
    )


def _alike(shown: t.Sequence[str], printed: t.Sequence[str]) -> bool:
    if not shown:
        return not printed
    if shown[0].strip() == _ANY_LINES:
        return any(_alike(shown[1:], printed[skip:]) for skip in range(len(printed) + 1))
    return (
        bool(printed) and steady(shown[0]) == steady(printed[0]) and _alike(shown[1:], printed[1:])
    )


def steady(line: str) -> str:
    """A line without what varies from run to run, and with single blanks."""
    return " ".join(_VARIES.sub("#", f"{line} ").split())
