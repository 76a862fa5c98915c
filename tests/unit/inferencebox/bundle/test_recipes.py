# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from inferencebox.bundle import programs
from inferencebox.bundle.errors import BundleError
from inferencebox.bundle.recipes import RECIPES, Parts
from inferencebox.bundle.tree import Tree
from inferencebox.programs.building import TOOLS

_ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    programs = tmp_path / "programs"
    programs.mkdir()
    for recipe in RECIPES.values():
        for name in recipe.programs:
            (programs / name).write_bytes(b"\x7fELF " + name.encode())
            (programs / name).chmod(0o755)
    return Parts(
        programs=programs,
        bootstrap=lambda: tmp_path / "bootstrap.json",
        fetcher=lambda: tmp_path / "initializer-entrypoint",
        requirements=_ROOT / "requirements",
        sources=_ROOT / "src",
        uv="uv",
    )


@pytest.mark.parametrize("repository", ["pause", "coredns/coredns", "kserve/kserve-controller"])
def test_image_of_one_program_runs_as_nobody(parts: Parts, repository: str, tmp_path: Path) -> None:
    tree = Tree()
    settings = RECIPES[repository].fill(parts, tree, tmp_path)
    entries = dict(tree)
    (program,) = settings.entrypoint
    assert entries[program.removeprefix("/")].mode == 0o755
    assert settings.user == 65532
    assert b"nonroot:x:65532:65532:" in (entries["etc/passwd"].content or b"")
    assert entries["home/nonroot"].owner == 65532


def test_pilot_gets_the_template_of_its_proxies(parts: Parts, tmp_path: Path) -> None:
    template = parts.bootstrap()
    template.write_text("{}")
    tree = Tree()
    settings = RECIPES["istio/pilot"].fill(parts, tree, tmp_path)
    assert settings.user == 1337
    assert dict(tree)["var/lib/istio/envoy/envoy_bootstrap_tmpl.json"].source == template


def test_missing_program_is_named(parts: Parts, tmp_path: Path) -> None:
    (parts.programs / "pause").unlink()
    with pytest.raises(BundleError, match="has no program pause"):
        RECIPES["pause"].fill(parts, Tree(), tmp_path)
    with pytest.raises(BundleError, match="has no program pause"):
        RECIPES["pause"].origin(parts)


def test_origin_follows_the_parts_of_this_image_alone(parts: Parts) -> None:
    before = {name: RECIPES[name].origin(parts) for name in ("pause", "coredns/coredns")}
    assert before == {name: RECIPES[name].origin(parts) for name in before}
    (parts.programs / "pause").write_bytes(b"another")
    assert RECIPES["pause"].origin(parts) != before["pause"]
    assert RECIPES["coredns/coredns"].origin(parts) == before["coredns/coredns"]


@pytest.mark.parametrize(
    "changed", ["requirements/serving.txt", "sources/inferencebox_samples/new.json"]
)
def test_origin_follows_packages_and_own_sources(
    parts: Parts, tmp_path: Path, changed: str
) -> None:
    for name in ("serving.txt", "samples.txt"):
        (tmp_path / "requirements").mkdir(exist_ok=True)
        (tmp_path / "requirements" / name).write_text("package==1")
    for name in RECIPES["inferencebox/runtime"].sources:
        (tmp_path / "sources" / name).mkdir(parents=True)
        (tmp_path / "sources" / name / "__init__.py").touch()
    own = dataclasses.replace(
        parts, requirements=tmp_path / "requirements", sources=tmp_path / "sources"
    )
    runtime = RECIPES["inferencebox/runtime"]
    before = runtime.origin(own)
    (tmp_path / changed).write_text("package==2")
    assert runtime.origin(own) != before


def test_origin_follows_what_fetches(parts: Parts) -> None:
    recipe = RECIPES["kserve/storage-initializer"]
    parts.fetcher().write_text("import this\n")
    before = recipe.origin(parts)
    parts.fetcher().write_text("import that\n")
    assert recipe.origin(parts) != before


def test_every_program_is_built_by_a_tool() -> None:
    needed = {name for recipe in RECIPES.values() for name in recipe.programs}
    assert set(programs.TOOLS) == needed
    assert {(TOOLS / tool / "go.mod").is_file() for tool in programs.TOOLS.values()} == {True}
