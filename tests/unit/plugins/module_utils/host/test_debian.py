# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program out of a Debian package that is built here with Debian's own tool."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import debian

needs_dpkg = pytest.mark.skipif(
    not (shutil.which("dpkg-deb") and shutil.which("apt-get")), reason="needs Debian's tools"
)

# So odd that no machine has it.
_NAME = "inferencebox-test-program"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A package with one program."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {_NAME}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    )
    program = tree / "usr/bin" / _NAME
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho here\n")
    built = tmp_path / "one.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(built)], check=True, capture_output=True)
    return built


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where programs are put."""
    made = tmp_path / "bin"
    made.mkdir()
    return made


def test_the_machines_own_program_is_used(target: Path) -> None:
    assert debian.program("env", "coreutils", target) == debian.Found(shutil.which("env"))
    assert list(target.iterdir()) == []


@needs_dpkg
def test_a_program_is_taken_out_of_its_package_once(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "_download", lambda _, folder: shutil.copy(archive, folder))
    own = target / _NAME
    assert debian.program(_NAME, _NAME, target, check=True) == debian.Found(str(own), changed=True)
    assert not own.exists()
    assert debian.program(_NAME, _NAME, target) == debian.Found(str(own), changed=True)
    assert subprocess.check_output([own], text=True) == "here\n"
    assert [entry.name for entry in target.iterdir()] == [_NAME]
    assert debian.program(_NAME, _NAME, target) == debian.Found(str(own))


@needs_dpkg
def test_what_began_in_the_background_is_waited_for(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = target.parent / "fetched"

    def download(_: str, folder: str) -> None:
        with fetched.open("a") as counted:
            counted.write("x")
        time.sleep(0.5)
        shutil.copy(archive, folder)

    monkeypatch.setattr(debian, "_download", download)
    debian.begin(_NAME, _NAME, target)
    while not fetched.exists():
        time.sleep(0.01)
    assert debian.program(_NAME, _NAME, target).path == str(target / _NAME)
    assert fetched.read_text() == "x"
    debian.begin(_NAME, _NAME, target)
    assert fetched.read_text() == "x"


@needs_dpkg
def test_a_package_without_the_program_is_a_reason(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "_download", lambda _, folder: shutil.copy(archive, folder))
    found = debian.program("inferencebox-other", _NAME, target)
    assert found.path is None
    assert found.reason
    assert "it holds no ./usr/bin/inferencebox-other" in found.reason
    assert list(target.iterdir()) == []


def test_a_machine_without_apt_is_a_reason(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    found = debian.program(_NAME, _NAME, target)
    assert found.path is None
    assert "there is no apt-get here" in str(found.reason)


def test_the_reason_of_apt_is_told(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "W: something\nE: Unable to locate package x\n"
    error = subprocess.CalledProcessError(100, "apt-get", stderr=said)

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(debian, "_download", refuse)
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None if path else f"/bin/{name}")
    assert "Unable to locate package x" in str(debian.program(_NAME, _NAME, target).reason)
