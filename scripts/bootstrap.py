#!/usr/bin/env python3
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make ``.venv`` ready: the driver, or the driver and the tests' tools.

Runs on the standard library of whatever Python the machine has, needs no root, and is done in a
moment when nothing that it depends on has changed.

    python3 scripts/bootstrap.py           what `make up` needs
    python3 scripts/bootstrap.py --tests   and what `make test` needs
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for those who have an older one
    sys.exit(
        f"Python {sys.version.split()[0]} is too old: install Python 3.11 or newer and run this again."
    )

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
CACHE = ROOT / ".cache"
STAMP = ENVIRONMENT / "bootstrap.json"
COLLECTIONS = CACHE / "collections"

# From the smallest to the largest; each holds all of the one before, so a larger one serves both.
SETS = ("driver", "test")

# Of the failed command's output, the end says why; more than this hides it.
SHOWN_LINES = 20


class BootstrapError(Exception):
    """Something that the person at the keyboard has to do; the text is one sentence that says what."""


class Progress:
    """One line for each step, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def step(self, text: str) -> None:
        """Say what happens now."""
        print(f"[{time.monotonic() - self._started:5.1f} s] {text}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring ``.venv`` to the state that the repository's files describe.

    Returns:
        The exit status: 0 when ready, 1 when the person has to do something first.
    """
    parser = argparse.ArgumentParser(description="Make .venv ready for the driver.")
    parser.add_argument("--tests", action="store_true", help="install what the tests need, too")
    wanted = "test" if parser.parse_args(arguments).tests else "driver"
    if installed_set(at_least=wanted):
        return 0
    CACHE.mkdir(exist_ok=True)
    try:
        with (CACHE / "bootstrap.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once: the second finds the work done
            if not installed_set(at_least=wanted):
                install(set_to_install(wanted), Progress())
    except BootstrapError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def installed_set(at_least: str) -> str | None:
    """Tell which set ``.venv`` holds, when it is as the files of the repository describe it.

    Args:
        at_least: The smallest set that will do.

    Returns:
        The set's name, or None when something has to be installed.
    """
    installed, digest = read_stamp()
    if installed is None or SETS.index(installed) < SETS.index(at_least):
        return None
    # Follows the link: the system's interpreter may be gone since.
    interpreter_exists = (ENVIRONMENT / "bin/python").exists()
    return installed if interpreter_exists and digest == inputs_digest(installed) else None


def read_stamp() -> tuple[str | None, str]:
    """Read which set was installed last, and from which inputs; None when there is no telling."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        installed, digest = stamp["set"], stamp["inputs"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""
    return (installed, digest) if installed in SETS else (None, "")


def set_to_install(wanted: str) -> str:
    """Keep the larger set where it was installed before: an update takes no tools away."""
    before, _ = read_stamp()
    return max(wanted, before or wanted, key=SETS.index)


def inputs_digest(name: str) -> str:
    """Hash what decides the content of ``.venv``, its place included: scripts in it hold its path."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (Path(__file__), ROOT / "pyproject.toml", ROOT / f"requirements/{name}.txt"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install(name: str, progress: Progress) -> None:
    """Install one set of requirements, the project itself and the way to its collection.

    Args:
        name: One of ``SETS``.
        progress: Where the steps are told.

    Raises:
        BootstrapError: When a step fails; the text says what to do.
    """
    STAMP.unlink(missing_ok=True)
    environment = uv_settings(os.environ)
    uv = find_uv(environment, progress)
    python = ENVIRONMENT / "bin/python"
    if not works(python):
        progress.step(f"making .venv with Python {sys.version_info.major}.{sys.version_info.minor}")
        run(
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)],
            environment,
        )
    requirements = ROOT / f"requirements/{name}.txt"
    progress.step(
        f"installing {count_pins(requirements)} packages for the {name} set, hashes checked"
    )
    target = ["--quiet", "--python", str(python)]
    run(
        [
            uv,
            "pip",
            "sync",
            *target,
            "--require-hashes",
            "--only-binary",
            ":all:",
            str(requirements),
        ],
        environment,
    )
    project = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([uv, "pip", "install", *target, *project], environment)
    link_collection()
    STAMP.write_text(json.dumps({"set": name, "inputs": inputs_digest(name)}), encoding="utf-8")
    progress.step(".venv is ready")


def uv_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for uv: the caller's, pip's configuration, and a cache in the checkout."""
    path = ROOT / "plugins/module_utils/host/package_index.py"
    spec = importlib.util.spec_from_file_location("package_index", path)
    if spec is None or spec.loader is None:
        raise BootstrapError(f"{path} is missing; get the whole repository and run this again.")
    package_index = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package_index)
    defaults = {"UV_CACHE_DIR": str(CACHE / "uv"), "UV_PYTHON_DOWNLOADS": "never"}
    settings = {**defaults, **environ, **package_index.uv_environment(environ)}
    settings.pop("VIRTUAL_ENV", None)
    settings.pop("PYTHONPATH", None)
    return settings


def find_uv(environment: Mapping[str, str], progress: Progress) -> str:
    """Find uv, or fetch it with the first thing on this machine that can.

    Raises:
        BootstrapError: When nothing on the machine can fetch it.
    """
    fetched = uv_place(environment)
    for candidate in (shutil.which("uv"), str(fetched / "bin/uv")):
        if candidate and works(Path(candidate)):
            return candidate
    progress.step("fetching uv")
    for python in pip_interpreters(progress):
        fetched.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fetched, ignore_errors=True)  # it does not work
        # In one step, because other checkouts may do the same now.
        with tempfile.TemporaryDirectory(prefix="uv-", dir=fetched.parent) as made:
            command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            command += ["--no-input", "--require-hashes", "--only-binary", ":all:"]
            command += [
                "--target",
                f"{made}/uv",
                "--requirement",
                str(ROOT / "requirements/uv.txt"),
            ]
            run(command, environment)
            with contextlib.suppress(OSError):  # another was first
                Path(made, "uv").rename(fetched)
        return str(fetched / "bin/uv")
    raise BootstrapError(
        "This Python has neither pip nor venv: install the package python3-venv (Debian, Ubuntu) "
        "or uv, then run this again."
    )


def uv_place(environment: Mapping[str, str]) -> Path:
    """Where uv is kept once fetched: in its own cache, so that the next checkout finds it there."""
    pins = (ROOT / "requirements/uv.txt").read_bytes()
    return Path(environment["UV_CACHE_DIR"], "bootstrap", hashlib.sha256(pins).hexdigest()[:16])


def pip_interpreters(progress: Progress) -> list[str]:
    """Name an interpreter that has pip, made when need be; an empty list when there is no way."""
    # To find it says as much as to start it, which takes a third of a second.
    if importlib.util.find_spec("pip"):
        return [sys.executable]
    made = make_pip_environment()
    if not made and os.geteuid() == 0 and shutil.which("apt-get"):
        progress.step("installing python3-venv (no pip on this machine, but root)")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], quiet)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"], quiet)
        made = make_pip_environment()
    return made


def make_pip_environment() -> list[str]:
    """Make a small environment with the pip that Python brings along (ensurepip)."""
    place = CACHE / "pip"
    if succeeds([sys.executable, "-m", "venv", "--clear", str(place)]):
        return [str(place / "bin/python")]
    return []


def link_collection() -> None:
    """Make the checkout importable as ``ansible_collections.inferencebox.platform`` from ``.venv``."""
    link = COLLECTIONS / "ansible_collections/inferencebox/platform"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.readlink() != ROOT:
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT)
    for packages in ENVIRONMENT.glob("lib/python3*/site-packages"):
        (packages / "inferencebox_collection.pth").write_text(f"{COLLECTIONS}\n", encoding="utf-8")


def count_pins(requirements: Path) -> int:
    """Count the packages of a compiled requirements file, for the progress line."""
    return sum("==" in line for line in requirements.read_text(encoding="utf-8").splitlines())


def works(program: Path) -> bool:
    """Tell whether a program starts at all; a link to an interpreter that is gone does not."""
    return program.exists() and succeeds([str(program), "--version"])


def succeeds(command: Sequence[str]) -> bool:
    """Run a command silently and tell whether it exits with 0."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command and show its output only when it fails.

    Raises:
        BootstrapError: With the end of what the command said.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BootstrapError(f"{command[0]} cannot be started: {error.strerror}.") from error
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-SHOWN_LINES:])
        raise BootstrapError(
            f"`{' '.join(command[:4])} ...` failed with status {done.returncode}:\n{said}"
        )


if __name__ == "__main__":
    sys.exit(main())
