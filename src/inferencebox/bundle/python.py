# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Python inside of an image: this interpreter, and packages in an environment of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ansible_collections.inferencebox.platform.plugins.module_utils.host.runtime import (
    RuntimeInstallError,
    run_uv,
)

from . import libraries
from .errors import BundleError
from .tree import Tree

# Where the environment is in an image.
HOME = "opt/inferencebox"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_STANDARD = f"usr/local/lib/{_VERSION}"
PACKAGES = f"{HOME}/lib/{_VERSION}/site-packages"
# Parts of the standard library that no server imports.
_UNUSED = frozenset(
    {"ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo"}
)
_SHOWN_LINES = 5


def install(uv: str, target: Path, requirements: Path, *, dependencies: bool = True) -> None:
    """Install packages of a hash-pinned requirements file into a directory.

    Args:
        uv: The uv command.
        target: The directory.
        requirements: The file.
        dependencies: Whether the packages' own dependencies are among them; else they are left out.

    Raises:
        BundleError: uv is missing or fails; the text holds its last lines.
    """
    options = ["--quiet", "--require-hashes", "--python", sys.executable, "--target", str(target)]
    options += [] if dependencies else ["--no-deps"]
    try:
        run_uv(uv, "pip", "install", *options, "--requirements", str(requirements))
    except RuntimeInstallError as error:
        raise BundleError(f"{requirements.name} cannot be installed: {error}") from error


def add(
    tree: Tree, stage: Path, packages: Path, sources: Path, own: Sequence[str], imports: str
) -> None:
    """Add the interpreter and an environment to a tree, with bytecode of what its program imports.

    Args:
        tree: The tree.
        stage: An empty directory for what is not packed as it lies there; kept until the image is written.
        packages: Directory with installed packages.
        sources: Directory with this project's packages.
        own: Folders of it that belong to them.
        imports: Python that imports what the program does.

    Raises:
        BundleError: The interpreter's own files are not where they are expected.
    """
    standard, site = stage / _STANDARD, stage / PACKAGES
    library = Path(sysconfig.get_path("stdlib"))
    _copy(library, standard, lambda place: _left_out(place, standard=True))
    _copy(packages, site, lambda place: _left_out(place, standard=False))
    for name in own:
        _copy(sources / name, site / name, lambda place: _left_out(place, standard=False))
    _compile(stage, standard, site, imports)
    tree.folder("/", stage)
    executable = Path(sys.executable).resolve()
    tree.file(f"usr/local/bin/{_VERSION}", executable)
    tree.link(f"{HOME}/bin/python", f"/usr/local/bin/{_VERSION}")
    tree.text(f"{HOME}/pyvenv.cfg", "home = /usr/local/bin\ninclude-system-site-packages = false\n")
    base = Path(sys.base_prefix)
    shared = base / "lib" / str(sysconfig.get_config_var("INSTSONAME"))
    # In a directory of the loader's own: the interpreter's run path may name one of this machine's.
    if ".so" in shared.name and shared.is_file():
        tree.file(f"usr/lib/{shared.name}", shared)
    libraries.add(tree, inside=(stage,) if base == Path("/usr") else (stage, base))


def _left_out(place: PurePosixPath, *, standard: bool) -> bool:
    name = place.name
    if name in ("__pycache__", "tests") or name.endswith((".a", ".pyi")):
        return True
    if not standard:
        return False
    return (
        name in _UNUSED or name in ("site-packages", "dist-packages") or name.startswith("config-")
    )


def _copy(source: Path, target: Path, without: Callable[[PurePosixPath], bool]) -> None:
    def ignore(directory: str, names: list[str]) -> set[str]:
        inside = PurePosixPath(directory).relative_to(source)
        return {name for name in names if without(inside / name)}

    try:
        shutil.copytree(source, target, ignore=ignore, symlinks=True, dirs_exist_ok=True)
    except OSError as error:
        raise BundleError(f"{source} cannot be copied: {error}") from error


def _compile(stage: Path, standard: Path, site: Path, imports: str) -> None:
    """Leave bytecode that never expires for what is imported: nobody may write there later.

    One process compiles all, in one order: what another has in memory would show in the bytes.
    """
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory)
        names = made / "names"
        _run(["-S", "-X", f"pycache_prefix={made}", "-c", _FROM + imports, str(site)])
        library = Path(sysconfig.get_path("stdlib"))
        wanted = [
            *_sources(made, library, standard),
            *_sources(made, site, site),
        ]
        names.write_text("\n".join(sorted(map(str, wanted))), encoding="utf-8")
        options = ["--invalidation-mode", "unchecked-hash", "-s", str(stage), "-p", "/"]
        _run(["-m", "compileall", "-q", *options, "-i", str(names)])


_FROM = "import sys\nsys.path.insert(0, sys.argv[1])\n"


def _sources(made: Path, imported: Path, packed: Path) -> list[Path]:
    """Map bytecode that imports have left behind to the sources that are packed."""
    below = made / imported.relative_to("/")
    found = []
    for each in below.rglob("*.pyc"):
        source = packed / each.relative_to(below).parent / f"{each.name.partition('.')[0]}.py"
        if source.is_file():
            found.append(source)
    return found


def _run(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-I", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "; ".join(done.stderr.strip().splitlines()[-_SHOWN_LINES:])
        raise BundleError(f"the packages cannot be compiled: {tail}")
