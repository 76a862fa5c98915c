# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every Molecule scenario, found where Molecule finds them: each converges twice, is looked at, and leaves nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.behaviour import processes

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SCENARIOS = sorted(
    file.parent.name for file in (ROOT / "extensions/molecule").glob("*/molecule.yml")
)
# Installing the runtime environment takes most of it, where the network or the machine is slow.
_SECONDS = 600
_SHOWN_LINES = 80
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SKIPPED_STEP = re.compile(r"➜ \w+: Executed: .*(Missing|Skipped|Failed)")


@dataclass(frozen=True)
class Place:
    """Where scenarios put what they make.

    Attributes:
        scratch: Their temporary directory; what a scenario leaves there was forgotten.
        environment: Variables that send them there.
    """

    scratch: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def place() -> t.Iterator[Place]:
    """A place with a short path, as Unix sockets need it, that tenants' processes may walk through."""
    directory = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    directory.chmod(0o755)
    scratch = directory / "t"
    scratch.mkdir()
    try:
        yield Place(
            scratch,
            {
                **os.environ,
                "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
                "TMPDIR": str(scratch),
                # What Molecule remembers of earlier runs lies here.
                "ANSIBLE_HOME": str(directory / "ansible"),
                "INFERENCEBOX_SHARED_RUNTIME": str(directory / "runtime"),
                "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(ROOT / ".cache/uv")),
            },
        )
    finally:
        shutil.rmtree(directory)


def test_every_role_of_the_platform_has_a_scenario() -> None:
    site = (ROOT / "playbooks/site.yml").read_text(encoding="utf-8")
    roles = re.findall(r"import_playbook: (\w+)\.yml", site)
    assert roles
    assert set(roles) <= set(SCENARIOS), "add extensions/molecule/ROLE beside the others"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, place: Place) -> None:
    done = subprocess.run(
        [BIN / "molecule", "test", "--no-command-borders", "--scenario-name", scenario],
        cwd=ROOT,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    said = _COLOUR.sub("", done.stdout)
    shown = "\n".join(said.splitlines()[-_SHOWN_LINES:])
    assert done.returncode == 0, shown
    # A scenario that has no tests, or a playbook too few, passes for Molecule.
    assert len(re.findall(r"=+ \d+ passed", said)) == said.count("verify: Executing\n"), shown
    assert _SKIPPED_STEP.search(said) is None, shown
    assert "WARNING" not in said, shown
    assert list(place.scratch.iterdir()) == [], "files are left"
    assert processes.everything(place.scratch) == [], "processes are left"
