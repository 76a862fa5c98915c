# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bootstrap knows when there is nothing to do, and says in one sentence what it cannot do."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def bootstrap(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that works on a small checkout of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", root / "scripts/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    checkout = tmp_path / "checkout"
    (checkout / "requirements").mkdir(parents=True)
    (checkout / "pyproject.toml").write_text("[project]\n")
    for name in module.SETS:
        (checkout / f"requirements/{name}.txt").write_text(f"{name}==1\n")
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    monkeypatch.setattr(module, "ROOT", checkout)
    monkeypatch.setattr(module, "ENVIRONMENT", checkout / ".venv")
    monkeypatch.setattr(module, "CACHE", checkout / ".cache")
    monkeypatch.setattr(module, "COLLECTIONS", checkout / ".cache/collections")
    monkeypatch.setattr(module, "STAMP", checkout / ".venv/bootstrap.json")
    return module


def stamp(bootstrap: ModuleType, name: str) -> None:
    """Leave the stamp of a finished installation."""
    digest = bootstrap.inputs_digest(name)
    bootstrap.STAMP.write_text(json.dumps({"set": name, "inputs": digest}))


def test_a_larger_set_serves_a_smaller_one_and_not_the_other_way(bootstrap: ModuleType) -> None:
    stamp(bootstrap, "test")
    assert bootstrap.installed_set(at_least="driver") == "test"
    stamp(bootstrap, "driver")
    assert bootstrap.installed_set(at_least="test") is None


def test_an_update_takes_no_tools_away(bootstrap: ModuleType) -> None:
    assert bootstrap.set_to_install("driver") == "driver"
    stamp(bootstrap, "test")
    (bootstrap.ROOT / "pyproject.toml").write_text("[project]\nname = 'changed'\n")
    assert bootstrap.set_to_install("driver") == "test"
    stamp(bootstrap, "driver")
    assert bootstrap.set_to_install("test") == "test"


@pytest.mark.parametrize("changed", ["requirements/driver.txt", "pyproject.toml"])
def test_a_changed_input_is_installed_again(bootstrap: ModuleType, changed: str) -> None:
    stamp(bootstrap, "driver")
    with (bootstrap.ROOT / changed).open("a") as file:
        file.write("# changed\n")
    assert bootstrap.installed_set(at_least="driver") is None


def test_an_interpreter_that_is_gone_is_noticed(bootstrap: ModuleType) -> None:
    stamp(bootstrap, "driver")
    python = bootstrap.ENVIRONMENT / "bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert bootstrap.installed_set(at_least="driver") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"set": "other", "inputs": ""}', '{"set": "test"}']
)
def test_a_damaged_stamp_counts_as_none(bootstrap: ModuleType, content: str) -> None:
    bootstrap.STAMP.write_text(content)
    assert bootstrap.installed_set(at_least="driver") is None


def test_the_collection_is_importable_from_the_environment(bootstrap: ModuleType) -> None:
    packages = bootstrap.ENVIRONMENT / "lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    bootstrap.link_collection()
    bootstrap.link_collection()  # a second time changes nothing
    link = bootstrap.COLLECTIONS / "ansible_collections/inferencebox/platform"
    assert link.readlink() == bootstrap.ROOT
    assert (packages / "inferencebox_collection.pth").read_text() == f"{bootstrap.COLLECTIONS}\n"


def test_without_pip_and_venv_one_sentence_says_what_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "succeeds", lambda _: False)
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    (bootstrap.ROOT / "requirements/uv.txt").write_text("uv==1\n")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(bootstrap.BootstrapError, match="install the package python3-venv"):
        bootstrap.find_uv({"UV_CACHE_DIR": str(bootstrap.CACHE)}, bootstrap.Progress())


def test_an_uv_that_another_checkout_fetched_is_used_while_it_is_the_pinned_one(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pins = bootstrap.ROOT / "requirements/uv.txt"
    pins.write_text("uv==1\n")
    monkeypatch.setenv("PATH", "")
    environment = {"UV_CACHE_DIR": str(tmp_path / "cache")}
    program = bootstrap.uv_place(environment) / "bin/uv"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    assert bootstrap.find_uv(environment, bootstrap.Progress()) == str(program)
    pins.write_text("uv==2\n")
    monkeypatch.setattr(bootstrap, "pip_interpreters", lambda _: [])
    with pytest.raises(bootstrap.BootstrapError):
        bootstrap.find_uv(environment, bootstrap.Progress())


def test_a_failed_command_tells_its_own_reason(bootstrap: ModuleType) -> None:
    script = "import sys; print('the disk is full'); sys.exit(7)"
    with pytest.raises(bootstrap.BootstrapError, match=r"(?s)status 7.*the disk is full"):
        bootstrap.run([sys.executable, "-c", script], {})


def test_a_ready_checkout_has_nothing_to_do(root: Path) -> None:
    command = [sys.executable, str(root / "scripts/bootstrap.py")]
    assert subprocess.run(command, check=True, capture_output=True).returncode == 0
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
