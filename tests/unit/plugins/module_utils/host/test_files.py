# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import PlatformError
from ansible_collections.inferencebox.platform.plugins.module_utils.host.files import (
    MASK,
    DirectorySpec,
    FileSpec,
    ensure_directories,
    replace_file,
    write_files,
)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_cycle_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "one"
    first = FileSpec(str(path), "a\n", 0o640)
    assert write_files([first], check=True).changed == (str(path),)
    assert not path.exists()
    made = write_files([first])
    assert made.diff[0]["before"] == ""
    assert made.diff[0]["after"] == "a\n"
    assert _mode(path) == 0o640
    assert write_files([first]).changed == ()
    second = FileSpec(str(path), b"b\n", 0o640)
    assert write_files([second], check=True).changed
    assert path.read_text() == "a\n"
    changed = write_files([second])
    assert (changed.diff[0]["before"], changed.diff[0]["after"]) == ("a\n", "b\n")
    assert path.read_text() == "b\n"
    assert os.listdir(tmp_path) == ["one"], "no temporary file is left"


def test_a_mode_alone_is_a_change_and_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "one"
    write_files([FileSpec(str(path), "a", 0o644)])
    inode = path.stat().st_ino
    changes = write_files([FileSpec(str(path), "a", 0o600)])
    assert "0644" in changes.diff[0]["before_header"]
    assert "0600" in changes.diff[0]["after_header"]
    assert (_mode(path), path.stat().st_ino) == (0o600, inode)


def test_a_secret_is_in_no_diff_and_no_repr(tmp_path: Path) -> None:
    path = str(tmp_path / "token")
    specs = [FileSpec(path, content, 0o600, secret=True) for content in ("first", "second")]
    changes = write_files(specs[:1]) + write_files(specs[1:])
    said = json.dumps(changes.diff) + repr(specs)
    assert "first" not in said
    assert "second" not in said
    assert changes.diff[1]["before"] == MASK
    assert changes.diff[1]["before"] != changes.diff[1]["after"], "a change shows as one"


def test_pruning_leaves_what_is_wanted_and_what_does_not_match(tmp_path: Path) -> None:
    for name in ("keep.json", "gone.json", "other.txt"):
        (tmp_path / name).write_text(name)
    wanted = [FileSpec(str(tmp_path / "keep.json"), "keep.json")]
    prune = [(str(tmp_path), "*.json")]
    assert write_files(wanted, prune, check=True).changed == (str(tmp_path / "gone.json"),)
    assert (tmp_path / "gone.json").exists()
    write_files(wanted, prune)
    assert sorted(os.listdir(tmp_path)) == ["keep.json", "other.txt"]


def test_a_link_is_replaced_and_never_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("victim")
    link.symlink_to(target)
    write_files([FileSpec(str(link), "ours")])
    assert not link.is_symlink()
    assert (link.read_text(), target.read_text()) == ("ours", "victim")


def test_a_failed_replacement_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(str(path), b"x", 0o600)
    assert os.listdir(tmp_path) == ["one"]


def test_directories_with_parents_and_special_bits(tmp_path: Path) -> None:
    spec = DirectorySpec(str(tmp_path / "a/b"), 0o2750)
    assert ensure_directories([spec], check=True).changed == (spec.path,)
    assert not (tmp_path / "a").exists()
    assert ensure_directories([spec]).changed == (spec.path,)
    assert _mode(tmp_path / "a/b") == 0o2750
    assert ensure_directories([spec]).changed == ()


def test_errors_name_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="file is not a directory"):
        ensure_directories([DirectorySpec(str(tmp_path / "file"))])
    with pytest.raises(PlatformError, match="missing/.*No such file"):
        write_files([FileSpec(str(tmp_path / "missing/one"), "")])
    with pytest.raises(PlatformError, match="no user 'nobody-at-all'"):
        write_files([FileSpec(str(tmp_path / "one"), "", owner="nobody-at-all")])


def test_a_user_that_an_earlier_step_would_make_is_no_error_in_check_mode(tmp_path: Path) -> None:
    spec = FileSpec(str(tmp_path / "one"), "", owner="nobody-at-all")
    assert write_files([spec], check=True).changed == (spec.path,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners(tmp_path: Path) -> None:
    path = tmp_path / "one"
    write_files([FileSpec(str(path), "a", 0o640, "nobody", "nogroup")])
    owner, group = path.owner(), path.group()
    assert (owner, group) == ("nobody", "nogroup")
    assert write_files([FileSpec(str(path), "a", 0o640, "nobody", "nogroup")]).changed == ()
    assert write_files([FileSpec(str(path), "a", 0o640, "root")]).changed == (str(path),)
