# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path

import pytest

from inferencebox.bundle.errors import BundleError
from inferencebox.bundle.tree import Tree


def test_directories_come_by_themselves_and_before_what_they_hold() -> None:
    tree = Tree()
    tree.text("usr/lib/a", "")
    tree.text("usr/lib-more/b", "")
    assert [path for path, _ in tree] == [
        "usr",
        "usr/lib",
        "usr/lib/a",
        "usr/lib-more",
        "usr/lib-more/b",
    ]


def test_only_the_executable_bit_of_a_file_counts(tmp_path: Path) -> None:
    program, data = tmp_path / "program", tmp_path / "data"
    program.touch(mode=0o700)
    data.touch(mode=0o600)
    tree = Tree()
    tree.file("/bin/program", program)
    tree.file("/data", data)
    modes = {path: entry.mode for path, entry in tree}
    assert (modes["bin/program"], modes["data"]) == (0o755, 0o644)


def test_folder_keeps_links_and_leaves_out_what_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("here")
    (tmp_path / "kept/link").symlink_to("file")
    (tmp_path / "tests/deep").mkdir(parents=True)
    tree = Tree()
    tree.folder("opt", tmp_path, without=lambda place: place.name == "tests")
    entries = dict(tree)
    assert set(entries) == {"opt", "opt/kept", "opt/kept/file", "opt/kept/link"}
    assert entries["opt/kept/link"].link == "file"


def test_later_entry_replaces_an_earlier_one() -> None:
    tree = Tree()
    tree.text("etc/passwd", "first")
    tree.text("etc/passwd", "second")
    assert dict(tree)["etc/passwd"].content == b"second"


@pytest.mark.parametrize("path", ["", "/", "../etc/passwd", "usr/../../etc"])
def test_path_outside_of_the_image_is_refused(path: str) -> None:
    with pytest.raises(BundleError, match="no path inside"):
        Tree().text(path, "")


def test_nothing_lies_below_a_file() -> None:
    tree = Tree()
    tree.text("etc", "")
    with pytest.raises(BundleError, match="/etc/passwd lies below /etc"):
        tree.text("etc/passwd", "")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"gone: No such file"):
        Tree().file("bin/gone", tmp_path / "gone")
    with pytest.raises(BundleError, match="is not a file"):
        Tree().file("bin/folder", tmp_path)
    with pytest.raises(BundleError, match="is not a directory"):
        Tree().folder("bin", tmp_path / "gone")
