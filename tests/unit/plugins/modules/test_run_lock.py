# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time, with real runs of ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

_BIN = Path(sys.executable).parent
_SECONDS = 60.0
_PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  connection: local
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - inferencebox.platform.run_lock:
        home: "{{ home }}"
    - ansible.builtin.wait_for:
        path: "{{ release }}"
        timeout: 60
"""


class Runs:
    """Starts runs of one playbook, which each end when the file `release` is there."""

    def __init__(self, directory: Path, collections: Path) -> None:
        self.home = directory / "home"
        self.release = directory / "release"
        self._playbook = directory / "work.yml"
        self._playbook.write_text(_PLAYBOOK)
        self._environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *options: str, **variables: object) -> subprocess.Popen[str]:
        """Start a run."""
        given = {"home": str(self.home), "release": str(self.release), **variables}
        run = subprocess.Popen(
            [_BIN / "ansible-playbook", self._playbook, "-e", json.dumps(given), *options],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(run)
        return run

    def holding(self) -> subprocess.Popen[str]:
        """Start a run and wait until it has the lock."""
        run = self.start()
        file = self.home / ".run.json"
        deadline = time.monotonic() + _SECONDS
        while not (file.exists() and f'"pid": {run.pid},' in file.read_text()):
            assert run.poll() is None, run.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return run

    def end(self) -> None:
        """End every run."""
        for run in self.started:
            run.kill()
            run.communicate()


def _said(run: subprocess.Popen[str]) -> str:
    return " ".join(run.communicate(timeout=_SECONDS)[0].split())


@pytest.fixture
def runs(tmp_path: Path, root: Path) -> t.Iterator[Runs]:
    """Runs on a home that does not exist yet."""
    made = Runs(tmp_path, root / ".cache/collections")
    yield made
    made.end()


def test_the_second_run_is_told_who_holds_it_and_works_afterwards(runs: Runs) -> None:
    first = runs.holding()
    second = runs.start()
    said = _said(second)
    assert second.returncode != 0, said
    assert f"another run is at work on {runs.home}: work.yml, process {first.pid} of " in said, said
    assert "Run this again when it has ended." in said
    # Killed, it holds nothing any more.
    first.kill()
    runs.release.touch()
    third = runs.start()
    assert third.wait(_SECONDS) == 0, _said(third)


def test_looking_waits_for_nobody(runs: Runs) -> None:
    runs.holding()
    runs.release.touch()
    assert runs.start("--check").wait(_SECONDS) == 0
