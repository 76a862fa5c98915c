# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.modules import runtime_environment

from .conftest import Json, Run


@pytest.fixture
def arguments(tmp_path: Path) -> Json:
    """An environment of nothing, which takes no network to make."""
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "src").mkdir()
    return {
        "path": str(tmp_path / "runtime"),
        "uv": str(Path(sys.executable).with_name("uv")),
        "python": sys.executable,
        "requirements": [str(tmp_path / "requirements.txt")],
        "sources": str(tmp_path / "src"),
    }


def test_an_environment_is_made_once_for_the_same_inputs(run: Run, arguments: Json) -> None:
    place = Path(arguments["path"])
    assert run(runtime_environment, check=True, **arguments)["changed"] is True
    assert not place.exists()
    made = run(runtime_environment, **arguments)
    assert (made["changed"], made["path"]) == (True, str(place))
    assert (place / "bin/python").exists()
    assert run(runtime_environment, **arguments)["changed"] is False
    package = Path(arguments["sources"], "added")
    package.mkdir()
    (package / "__init__.py").touch()
    assert run(runtime_environment, check=True, **arguments)["changed"] is True
    assert run(runtime_environment, **arguments)["changed"] is True
    assert list(place.glob("lib/python3.*/site-packages/added/__init__.py"))


def test_an_environment_is_compiled_in_the_background_once_after_each_change(
    run: Run, arguments: Json
) -> None:
    place = Path(arguments["path"])
    serving = Path(arguments["sources"], "inferencebox/serving")
    serving.mkdir(parents=True)
    (serving.parent / "__init__.py").touch()
    (serving / "__init__.py").touch()
    (serving / "precompile.py").write_text("import sys\nopen(sys.argv[1], 'w').close()\n")
    stamp = place / "compiled"
    assert run(runtime_environment, check=True, **arguments)["compiling"] is False
    assert run(runtime_environment, **arguments)["compiling"] is True
    while not stamp.exists():
        time.sleep(0.01)
    assert run(runtime_environment, **arguments)["compiling"] is False
    (place / "bin/python").unlink()
    assert run(runtime_environment, **arguments)["compiling"] is True


@pytest.mark.parametrize("lost", ["bin/python", "bin", "installed"])
def test_an_environment_that_lost_a_part_is_made_again(
    run: Run, arguments: Json, lost: str
) -> None:
    run(runtime_environment, **arguments)
    path = Path(arguments["path"], lost)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    assert run(runtime_environment, check=True, **arguments)["changed"] is True
    assert run(runtime_environment, **arguments)["changed"] is True
    assert path.exists()
    assert run(runtime_environment, **arguments)["changed"] is False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uv": "/nowhere/uv"}, "cannot run uv (/nowhere/uv)"),
        ({"requirements": ["/nowhere/requirements.txt"]}, "/nowhere/requirements.txt"),
        ({"python": "/nowhere/python"}, "uv venv --quiet failed"),
    ],
)
def test_what_is_missing_is_named(run: Run, arguments: Json, changes: Json, said: str) -> None:
    failed = run(runtime_environment, **{**arguments, **changes})
    assert failed["failed"] is True
    assert said in failed["msg"]


def test_a_requirement_without_a_hash_is_refused(run: Run, arguments: Json) -> None:
    Path(arguments["requirements"][0]).write_text("wheel==0.45.1\n")
    failed = run(runtime_environment, **arguments)
    assert failed["failed"] is True
    assert "--require-hashes" in failed["msg"]
    assert run(runtime_environment, check=True, **arguments)["changed"] is True
