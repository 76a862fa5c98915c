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
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import machine, runtime

from tests.behaviour import processes

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SCENARIOS = sorted(
    file.parent.name for file in (ROOT / "extensions/molecule").glob("*/molecule.yml")
)
# Installing the runtime environment takes most of it, where the network or the machine is slow.
_SECONDS = 900
_AT_ONCE = 2
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


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> t.Iterator[dict[str, Future[Run]]]:
    """The scenarios that are asked for, two at a time: each waits much and computes little."""
    # A short path, as Unix sockets need it, that tenants' processes may walk through.
    directory = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    directory.chmod(0o755)
    asked = [item for item in request.session.items if item.path == request.path]
    names = [item.callspec.params["scenario"] for item in asked if hasattr(item, "callspec")]
    try:
        _install_runtime(directory / "runtime")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield {name: pool.submit(_run, directory, name) for name in names}
            pool.shutdown(cancel_futures=True)
    finally:
        shutil.rmtree(directory)


def _install_runtime(path: Path) -> None:
    """Install what most scenarios share, as the cluster role does."""
    os.environ.setdefault("UV_CACHE_DIR", str(ROOT / ".cache/uv"))
    python = machine.interpreter()
    assert python is not None, "no Python that every Unix user may run"
    runtime.ensure(
        path,
        uv=str(BIN / "uv"),
        python=python,
        requirements=[ROOT / "requirements/runtime.txt"],
        bundles=[ROOT / "requirements/samples.txt"],
        sources=ROOT / "src",
    )
    subprocess.run(runtime.precompile_command(path), check=True, capture_output=True)


def _run(directory: Path, scenario: str) -> Run:
    scratch = directory / scenario
    scratch.mkdir()
    done = subprocess.run(
        [BIN / "molecule", "test", "--no-command-borders", "--scenario-name", scenario],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            # Without colours, Molecule words its lines otherwise.
            "PY_COLORS": "1",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(scratch),
            # What Molecule remembers lies here.
            "ANSIBLE_HOME": str(directory / "ansible" / scenario),
            "INFERENCEBOX_SHARED_RUNTIME": str(directory / "runtime"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Run(done.returncode, _COLOUR.sub("", done.stdout), scratch)


def test_every_role_of_the_platform_has_a_scenario() -> None:
    site = (ROOT / "playbooks/site.yml").read_text(encoding="utf-8")
    roles = re.findall(r"import_playbook: (\w+)\.yml", site)
    assert roles
    assert set(roles) <= set(SCENARIOS), "add extensions/molecule/ROLE beside the others"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, runs: dict[str, Future[Run]]) -> None:
    run = runs[scenario].result()
    assert run.returncode == 0, run.end
    # A scenario that has no tests, or a playbook too few, passes for Molecule.
    passed = re.findall(r"=+ \d+ passed", run.said)
    assert len(passed) == run.said.count("verify: Executing\n"), run.end
    assert _SKIPPED_STEP.search(run.said) is None, run.end
    assert "WARNING" not in run.said, run.end
    assert list(run.scratch.iterdir()) == [], "files are left"
    assert processes.everything(run.scratch) == [], "processes are left"
