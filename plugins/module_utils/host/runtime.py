# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The virtual environment of everything that runs: Envoy, the process manager, model servers, sample models."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from ..errors import PlatformError
from .package_index import uv_environment

# Its first line says what the environment was made from, the others which programs it has.
_STAMP = "installed"
# inferencebox.serving.precompile leaves it.
_COMPILED = "compiled"


class RuntimeInstallError(PlatformError):
    """The environment could not be installed."""


def ensure(
    path: Path,
    *,
    uv: str,
    python: str,
    requirements: t.Sequence[Path],
    bundles: t.Sequence[Path],
    sources: Path,
    check: bool = False,
) -> bool:
    """Makes the environment, or leaves one alone that was made from the same inputs and still is whole.

    Args:
        path: Directory of the environment.
        uv: The uv command.
        python: Base interpreter.
        requirements: Hash-pinned requirement files.
        bundles: Hash-pinned requirement files whose packages carry data: their own dependencies are left out.
        sources: Directory of this project's packages, copied in so that every Unix user can read them.
        check: Only tell.

    Returns:
        Whether the environment was, or would be, changed.

    Raises:
        RuntimeInstallError: uv is missing or failed; the message holds its last lines.
    """
    wanted = _digest([*requirements, *bundles], sources, python)
    stamp = path / _STAMP
    made_from, *programs = _lines(stamp) or [""]
    if made_from == wanted and set(programs) <= set(_programs(path)):
        return False
    if check:
        return True
    stamp.unlink(missing_ok=True)
    (path / _COMPILED).unlink(missing_ok=True)
    run_uv(uv, "venv", "--quiet", "--allow-existing", "--python", python, str(path))
    flags = ["--quiet", "--python", str(path / "bin" / "python"), "--require-hashes"]
    run_uv(uv, "pip", "sync", *flags, *map(str, requirements))
    for bundle in bundles:
        run_uv(uv, "pip", "install", *flags, "--no-deps", "-r", str(bundle))
    packages = next(path.glob("lib/python3.*/site-packages"))
    for package in _packages(sources):
        target = packages / package.name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    envoy = packages / "envoy" / "_bin" / "envoy"
    link = path / "bin" / "envoy"
    link.unlink(missing_ok=True)
    if envoy.exists():
        link.symlink_to(envoy)
    # Installed under a strict umask the environment would be closed to tenants' processes.
    subprocess.run(["chmod", "-R", "a+rX", str(path)], check=True)
    stamp.write_text("\n".join([wanted, *_programs(path)]), encoding="utf-8")
    return True


def begin_precompile(path: Path) -> bool:
    """Run the command of `precompile_command` in the background.

    Returns:
        Whether there was something to compile. The file `compiled` in the environment is there when it is over.
    """
    command = precompile_command(path)
    if command:
        # Of its own session: it outlives the task that began it, and takes some seconds.
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return bool(command)


def precompile_command(path: Path) -> list[str]:
    """The command that leaves bytecode for model servers in an environment; nothing where that is done.

    It takes some seconds of every core, and nothing before the model servers needs it.
    """
    stamp = path / _COMPILED
    # -I: no variable of ours may forbid to write bytecode.
    module = ["-I", "-m", "inferencebox.serving.precompile", str(stamp)]
    return [] if stamp.exists() else [str(path / "bin" / "python"), *module]


def _lines(stamp: Path) -> list[str]:
    """Content of the stamp; nothing where it is not there, because the installation did not end."""
    try:
        return stamp.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _programs(path: Path) -> list[str]:
    """Names of what can be started. Where one is missing later, somebody removed a part of the environment."""
    directory = path / "bin"
    return (
        sorted(each.name for each in directory.iterdir() if each.exists())
        if directory.is_dir()
        else []
    )


def run_uv(uv: str, *arguments: str) -> None:
    """Run uv with what pip is told of package indexes, outside of any environment.

    Raises:
        RuntimeInstallError: uv is missing or failed; the message holds its last lines.
    """
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    environment.update(uv_environment(os.environ))
    try:
        done = subprocess.run(
            [uv, *arguments], capture_output=True, text=True, env=environment, check=False
        )
    except OSError as error:
        raise RuntimeInstallError(
            f"cannot run uv ({uv}): {error.strerror}", hint="install uv: python3 -m pip install uv"
        ) from error
    if done.returncode:
        tail = "; ".join(done.stderr.strip().splitlines()[-5:])
        raise RuntimeInstallError(f"uv {' '.join(arguments[:2])} failed: {tail}")


def _packages(sources: Path) -> list[Path]:
    return sorted(p.parent for p in sources.glob("*/__init__.py"))


def _digest(files: t.Sequence[Path], sources: Path, python: str) -> str:
    digest = hashlib.sha256(python.encode())
    code = (p for package in _packages(sources) for p in sorted(package.rglob("*")))
    for file in (*files, *code):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
