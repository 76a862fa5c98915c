# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.modules import debian_program

from .conftest import Run

# So odd that no machine has it.
_NAME = "inferencebox-test-program"


def test_the_machines_own_program_is_used(run: Run, tmp_path: Path) -> None:
    result = run(debian_program, name="env", package="coreutils", directory=str(tmp_path))
    assert (result["changed"], result["path"]) == (False, shutil.which("env"))
    assert result["reason"] is None


@pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="needs Debian's tools"
)
def test_check_foretells_and_a_package_that_is_not_there_is_a_reason(
    run: Run, tmp_path: Path
) -> None:
    foretold = run(debian_program, check=True, name=_NAME, directory=str(tmp_path))
    assert (foretold["changed"], foretold["path"]) == (True, str(tmp_path / _NAME))
    result = run(debian_program, name=_NAME, directory=str(tmp_path))
    assert (result["changed"], result["path"]) == (False, None)
    assert f"package {_NAME} cannot be had" in result["reason"]
    begun = run(debian_program, name=_NAME, directory=str(tmp_path), wait=False)
    assert (begun["changed"], begun["path"], begun["reason"]) == (False, None, None)
    assert list(tmp_path.iterdir()) == []
