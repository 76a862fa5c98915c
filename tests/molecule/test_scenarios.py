# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every Molecule scenario of this machine, found where Molecule finds them: each converges twice, is looked at, and leaves nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import machine, runtime

from tests.molecule.running import BIN, ROOT, Run, run

# It needs a cluster: tests/cluster has one for it.
_ON_A_CLUSTER = "kubernetes"
SCENARIOS = sorted(
    file.parent.name
    for file in (ROOT / "extensions/molecule").glob("*/molecule.yml")
    if file.parent.name != _ON_A_CLUSTER
)
_AT_ONCE = 2


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
        shared = {"INFERENCEBOX_SHARED_RUNTIME": str(directory / "runtime")}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield {name: pool.submit(run, directory, name, shared) for name in names}
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


def test_every_role_of_the_platform_has_a_scenario() -> None:
    site = (ROOT / "playbooks/site.yml").read_text(encoding="utf-8")
    roles = re.findall(r"import_playbook: (\w+)\.yml", site)
    assert roles
    assert set(roles) <= set(SCENARIOS), "add extensions/molecule/ROLE beside the others"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, runs: dict[str, Future[Run]]) -> None:
    runs[scenario].result().judge()
