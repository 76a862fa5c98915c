# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import typing as t
from pathlib import Path

import pytest

from inferencebox.bundle import image
from inferencebox.bundle.errors import BundleError
from inferencebox.bundle.image import Settings
from inferencebox.bundle.tree import Tree

NAME = "registry.example/team/server:1"
SETTINGS = Settings(
    entrypoint=("/bin/server",), arguments=("serve",), user=1000, environment={"HOME": "/tmp"}
)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF and more")
    program.chmod(0o755)
    made = Tree()
    made.file("bin/server", program)
    made.link("bin/alias", "server")
    made.text("etc/" + "long/" * 60 + "name", "content")
    made.directory("home/user", mode=0o700, owner=1000)
    return made


def blobs(path: Path) -> dict[str, bytes]:
    """Members of an archive by name, each blob checked against the digest that names it."""
    found = {}
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
    for name, value in found.items():
        if name.startswith("blobs/sha256/"):
            assert name == f"blobs/sha256/{hashlib.sha256(value).hexdigest()}"
    return found


def referred(found: dict[str, bytes], descriptor: dict[str, t.Any]) -> bytes:
    """What a descriptor leads to, its size checked."""
    value = found["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(value) == descriptor["size"]
    return value


def test_archive_leads_from_its_index_to_the_files(tmp_path: Path, tree: Tree) -> None:
    archive = image.write(tmp_path / "a.tar", NAME, tree, SETTINGS, "origin")
    found = blobs(tmp_path / "a.tar")
    assert json.loads(found["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (descriptor,) = json.loads(found["index.json"])["manifests"]
    assert descriptor["annotations"]["io.containerd.image.name"] == NAME
    assert descriptor["digest"] == archive.digest
    manifest = json.loads(referred(found, descriptor))
    config = json.loads(referred(found, manifest["config"]))
    assert config["config"] == {
        "Entrypoint": ["/bin/server"],
        "Cmd": ["serve"],
        "User": "1000:1000",
        "Env": [f"PATH={Settings(entrypoint=()).path}", "HOME=/tmp"],
        "WorkingDir": "/",
    }
    (layer,) = manifest["layers"]
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    with tarfile.open(fileobj=io.BytesIO(referred(found, layer))) as content:
        members = {member.name: member for member in content}
        server = content.extractfile("bin/server")
        assert server is not None
        assert server.read() == b"\x7fELF and more"
    assert members["bin/server"].mode == 0o755
    assert members["bin/alias"].linkname == "server"
    assert members["etc/" + "long/" * 60 + "name"].size == len("content")
    home = members["home/user"]
    assert (home.isdir(), home.mode, home.uid, home.gid) == (True, 0o700, 1000, 1000)
    assert all(member.mtime == 0 and not member.uname for member in members.values())


def test_same_content_gives_the_same_bytes(tmp_path: Path, tree: Tree) -> None:
    image.write(tmp_path / "a.tar", NAME, tree, SETTINGS)
    # Another order, another file of the same content, another time and owner.
    copy = tmp_path / "copy"
    copy.write_bytes(b"\x7fELF and more")
    copy.chmod(0o711)
    os.utime(copy, (1, 1))
    again = Tree()
    again.directory("home/user", mode=0o700, owner=1000)
    again.text("etc/" + "long/" * 60 + "name", "content")
    again.link("bin/alias", "server")
    again.file("bin/server", copy)
    image.write(tmp_path / "b.tar", NAME, again, SETTINGS)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_other_content_gives_another_digest(tmp_path: Path, tree: Tree) -> None:
    before = image.write(tmp_path / "a.tar", NAME, tree, SETTINGS)
    tree.text("etc/more", "")
    assert image.write(tmp_path / "a.tar", NAME, tree, SETTINGS).digest != before.digest


def test_archive_says_what_it_holds(tmp_path: Path, tree: Tree) -> None:
    packages = ["libc6=2.36-9", "iptables=1.8.9-2"]
    written = image.write(tmp_path / "a.tar", NAME, tree, SETTINGS, "origin", packages)
    assert image.read(tmp_path / "a.tar") == written
    assert (written.name, written.made_from) == (NAME, "origin")
    assert written.packages == tuple(packages)


def test_damaged_archive_counts_as_none(tmp_path: Path, tree: Tree) -> None:
    path = tmp_path / "a.tar"
    assert image.read(path) is None
    image.write(path, NAME, tree, SETTINGS)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - tarfile.RECORDSIZE])
    assert image.read(path) is None
    path.write_bytes(b"no archive at all")
    assert image.read(path) is None


def test_nothing_is_left_of_an_archive_that_fails(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / "program").unlink()
    target = tmp_path / "images"
    target.mkdir()
    with pytest.raises(BundleError, match="program: No such file"):
        image.write(target / "a.tar", NAME, tree, SETTINGS)
    assert list(target.iterdir()) == []


def test_layout_of_another_tool_is_packed_under_a_name(tmp_path: Path, tree: Tree) -> None:
    written = image.write(tmp_path / "a.tar", "other/name:1", tree, SETTINGS)
    layout = tmp_path / "layout"
    shutil.unpack_archive(tmp_path / "a.tar", layout, "tar")
    packed = image.pack(tmp_path / "b.tar", NAME, layout, "origin")
    assert packed == image.read(tmp_path / "b.tar")
    assert (packed.name, packed.digest) == (NAME, written.digest)
    assert set(blobs(tmp_path / "b.tar")) == set(blobs(tmp_path / "a.tar"))
    with pytest.raises(BundleError, match="gone"):
        image.pack(tmp_path / "c.tar", NAME, tmp_path / "gone")
