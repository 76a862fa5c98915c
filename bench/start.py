# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From `git clone` to the first streamed token through both tiers: with empty caches, then with filled ones.

And what a second `make up` takes, which finds nothing to change.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.behaviour.own_platform import OwnPlatform
from tests.behaviour.platform_json import Platform

from . import machine, streams, watched
from .endpoint import Request
from .machine import ROOT
from .subject import Subject
from .summary import Json

# Lines by which `make up` says where it is, on a pipe: the bootstrap's steps, the playbook's plays, the end.
_STEP = re.compile(r"^\[ *[\d.]+ s\] (?P<step>.+)$|^ *[\d.]+ s +\d+/\d+ (?P<play>.+)$")
_END = re.compile(r"^(up|nothing to change), ")
# Variables by which this run's own environment would help or hinder that of a fresh machine.
_OURS = re.compile(
    r"^(ANSIBLE_|INFERENCEBOX_|MAKE|MFLAGS|PYTHON|UV_CACHE_DIR|VIRTUAL_ENV|XDG_|GNUMAKEFLAGS)"
)
_UP_SECONDS = 900.0


def measure(*, quick: bool) -> Json:
    """Clone and start with empty caches, then once more with those that the first start filled.

    Args:
        quick: Only the start with empty caches.

    Returns:
        {measured, runs: [{caches, seconds, again, phases: [{name, seconds}]}]}: `caches` is "cold" or "warm", `again`
        the seconds of a second `make up`.

    Raises:
        BenchError: A start fails.
    """
    facts = machine.facts(quick=quick)
    with tempfile.TemporaryDirectory(prefix="bench-start-") as name:
        # Users of their own have to walk through to their model servers' Python.
        directory = Path(name)
        directory.chmod(0o755)
        (home := directory / "home").mkdir()
        environment = fresh_environment(os.environ, home)
        kinds = ("cold",) if quick else ("cold", "warm")
        runs = [{"caches": kind, **_start(directory / kind, environment)} for kind in kinds]
    return {"measured": facts, "runs": runs}


def fresh_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment of a user whose home is empty; both runs share it, and so its caches.

    Args:
        environ: This process's own.
        home: The empty directory.
    """
    kept = {name: value for name, value in environ.items() if not _OURS.match(name)}
    own = str(Path(sys.prefix, "bin"))
    path = os.pathsep.join(part for part in environ["PATH"].split(os.pathsep) if part != own)
    # By default the bootstrap keeps its downloads in the checkout, which is new in each run.
    return {**kept, "PATH": path, "HOME": str(home), "UV_CACHE_DIR": str(home / ".cache/uv")}


def _start(checkout: Path, environment: Mapping[str, str]) -> Json:
    own = OwnPlatform()
    try:
        marks = [("git clone", time.monotonic())]
        clone = ["git", "clone", "--quiet", f"file://{ROOT}", str(checkout)]
        subprocess.run(clone, check=True, env=dict(environment))
        marks.append(("make", time.monotonic()))
        marks += _up(checkout, own.inventory, environment)
        marks.append(("first token", time.monotonic()))
        _first_token(own)
        end = time.monotonic()
        _up(checkout, own.inventory, environment)
        again = time.monotonic() - end
    finally:
        own.remove()
        shutil.rmtree(checkout, ignore_errors=True)
    ends = [begin for _, begin in marks[1:]] + [end]
    phases = [
        {"name": name, "seconds": round(later - begin, 2)}
        for (name, begin), later in zip(marks, ends, strict=True)
    ]
    seconds = {"seconds": round(end - marks[0][1], 1), "again": round(again, 1)}
    return {**seconds, "phases": phases}


def _up(checkout: Path, inventory: Path, environment: Mapping[str, str]) -> list[tuple[str, float]]:
    """Run `make up`; the moment at which each step began."""
    marks: list[tuple[str, float]] = []
    command = ["make", "up", f"INVENTORY={inventory}"]
    for line, now in watched.lines("make up", command, checkout, environment):
        if found := _STEP.match(line):
            marks.append((found["step"] or found["play"], now))
        elif _END.match(line):
            marks.append(("summary", now))
    return marks


def _first_token(own: OwnPlatform) -> None:
    subject = Subject(Platform.read(own.platform_json), own.home)
    body = {
        "model": subject.llm.name,
        "messages": [{"role": "user", "content": "Say yes."}],
        "max_tokens": 1,
        "stream": True,
    }
    streams.measure(
        subject.both(subject.llm), Request("stream", "POST", "/v1/chat/completions", body)
    )
