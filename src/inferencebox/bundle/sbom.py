# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What software a bundle brings, as a CycloneDX document: images, and what is known to be in them.

https://cyclonedx.org/specification/overview
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from .errors import BundleError
from .recipes import RECIPES, Parts

BUILT = "built:"
# The form of hash-pinned requirements: name==version at the beginning of a line.
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_CHART = re.compile(r"(.+)-(v?[0-9].*)\.tgz")


def write(path: Path, described: dict[str, Any], parts: Parts) -> None:
    """Write the document.

    Args:
        path: Where it goes.
        described: The bundle, as `manifest.describe` gives it.
        parts: What the built ones among its images are made of.

    Raises:
        BundleError: It cannot be found out what a program is made of, or the document not be written.
    """
    bom = Bom()
    bom.metadata.component = Component(name="bundle", type=ComponentType.PLATFORM, bom_ref="bundle")
    known: dict[str, Component] = {}

    def add(component: Component) -> Component:
        reference = str(component.bom_ref.value)
        if reference not in known:
            known[reference] = component
            bom.components.add(component)
        return known[reference]

    direct = [add(_chart(row)) for row in described["files"] if row["path"].startswith("charts/")]
    for row in described["images"]:
        one = add(_image(row))
        direct.append(one)
        bom.register_dependency(one, [add(each) for each in _contents(row, parts)])
    bom.register_dependency(bom.metadata.component, direct)
    try:
        path.write_text(JsonV1Dot6(bom).output_as_string(indent=1), encoding="utf-8")
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from error


def _component(kind: str, name: str, version: str, **more: Any) -> Component:
    folder, _, last = name.rpartition("/")
    url = PackageURL(kind, folder or None, last, version)
    more = {"type": ComponentType.LIBRARY, **more}
    return Component(name=name, version=version, purl=url, bom_ref=str(url), **more)


def _chart(row: dict[str, Any]) -> Component:
    found = _CHART.fullmatch(Path(row["path"]).name)
    assert found is not None, row["path"]
    return _component(
        "helm", found[1], found[2], type=ComponentType.APPLICATION, hashes=[_sha256(row["sha256"])]
    )


def _image(row: dict[str, Any]) -> Component:
    name, _, tag = row["name"].rpartition(":")
    digest = row["digest"].removeprefix("sha256:")
    url = PackageURL("oci", None, name.rpartition("/")[2], row["digest"], {"tag": tag})
    return Component(
        name=name,
        version=tag,
        type=ComponentType.CONTAINER,
        purl=url,
        bom_ref=row["name"],
        hashes=[_sha256(digest)],
    )


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _contents(row: dict[str, Any], parts: Parts) -> Iterator[Component]:
    """What is in an image that was built here; of others, their projects know."""
    made_from: str = row["made_from"]
    if not made_from.startswith(BUILT):
        return
    recipe = RECIPES[made_from.removeprefix(BUILT).partition("@")[0]]
    for name in recipe.programs:
        yield from _modules(parts.program(name))
    for name in recipe.requirements:
        text = (parts.requirements / f"{name}.txt").read_text(encoding="utf-8")
        for package, version in _PINNED.findall(text):
            yield _component("pypi", package, version)
    if recipe.interpreted:
        yield _component("generic", "python", platform.python_version())
    for package in row["packages"]:
        name, _, version = package.partition("=")
        yield _component("deb", f"debian/{name}", version)


def _modules(program: Path) -> Iterator[Component]:
    """The Go modules that a program was built of, which it says itself."""
    if shutil.which("go") is None:
        raise BundleError("Go is not installed, which reads what programs are made of")
    done = subprocess.run(
        ["go", "version", "-m", str(program)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BundleError(f"{program} is no program of Go: {done.stderr.strip()}")
    yield from listed(done.stdout.splitlines())


# The version of what has no release.
_OWN = "(devel)"


def listed(lines: Iterable[str]) -> Iterator[Component]:
    """Read the modules that `go version -m` lists: the program's own, unless it is this project's, and what it needs."""
    modules: list[tuple[str, str]] = []
    for line in lines:
        words = line.split()
        if words[:1] in (["mod"], ["dep"]):
            modules.append((words[1], words[2]))
        elif words[:1] == ["=>"] and words[2] != _OWN:
            # The line before it was replaced by this one; a copy in a folder is still what it was copied of.
            modules[-1] = (words[1], words[2])
    for name, version in (one for one in modules if one[1] != _OWN):
        yield _component("golang", name, version)
