# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from inferencebox.bundle import libraries
from inferencebox.bundle.tree import Tree


def test_program_gets_its_loader_and_all_libraries(tmp_path: Path) -> None:
    program = shutil.which("ls")
    assert program is not None
    tree = Tree()
    tree.file("bin/ls", Path(program))
    tree.text("etc/text", "no program")
    libraries.add(tree)
    for path, source in tree.sources():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    # The loader itself finds all of them where they are, and nothing else is there.
    loader = next(path for path, _ in tree.sources() if "/ld-linux" in f"/{path}")
    folders = ":".join({str((tmp_path / path).parent) for path, _ in tree.sources()})
    words = [
        str(tmp_path / loader),
        "--inhibit-cache",
        "--library-path",
        folders,
        str(tmp_path / "bin/ls"),
    ]
    done = subprocess.run([*words, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "etc" not in done.stdout
    assert any(path.endswith("/libnss_files.so.2") for path, _ in tree.sources())


def test_a_program_that_comes_later_finds_its_libraries_there() -> None:
    program = shutil.which("ls")
    assert program is not None
    with_it, for_it = Tree(), Tree()
    with_it.file("bin/ls", Path(program))
    libraries.add(with_it)
    libraries.add(for_it, guests=[Path(program)])
    assert {path for path, _ in with_it.sources()} - {"bin/ls"} == {
        path for path, _ in for_it.sources()
    }


def test_libraries_that_are_in_the_tree_already_are_not_added() -> None:
    tree = Tree()
    tree.file("bin/python", Path(sys.executable).resolve())
    libraries.add(tree, inside=[Path("/")])
    assert [path for path, _ in tree.sources()] == ["bin/python"]
