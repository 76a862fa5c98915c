# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is shipped: the tarball, the pinned requirements, and files that name no package registry."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent
PINNED = ("comparison", "driver", "runtime", "samples", "storage", "test", "uv")

# Bracketed letters keep this file from finding itself.
REGISTRY_HOSTS = re.compile(
    r"py[p]i\.(org|python)|python[h]osted\.org|galaxy[.]ansible\.com|anaconda[.]org|npm[j]s\.(com|org)"
)
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\$")


def tracked_files(root: Path) -> list[Path]:
    """Files that are, or are about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def pins(root: Path, name: str) -> dict[tuple[str, str], str]:
    """Package and marker to version, as one compiled file has them."""
    lines = (root / f"requirements/{name}.txt").read_text().splitlines()
    matches = [match for line in lines if (match := PIN.match(line))]
    return {(m["name"], m["marker"] or ""): m["version"] for m in matches}


@pytest.fixture(scope="module")
def tarball(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection's archive, built from the checkout."""
    built = tmp_path_factory.mktemp("built")
    command = ["collection", "build", str(root), "--output-path", str(built)]
    subprocess.run(
        [str(BIN / "ansible-galaxy"), *command], check=True, capture_output=True, text=True
    )
    (archive,) = built.glob("inferencebox-platform-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections directory with only what the archive installs."""
    collections = tmp_path_factory.mktemp("installed")
    command = ["collection", "install", str(tarball), "--offline", "--no-deps"]
    # Forced, because the checkout on the path passes for an installed copy of the same version.
    command += ["--force", "--collections-path", str(collections)]
    subprocess.run(
        [str(BIN / "ansible-galaxy"), *command], check=True, capture_output=True, text=True
    )
    return collections


def alone(installed: Path) -> dict[str, str]:
    """An environment that knows the installed collection and Ansible's own, and not the checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "ANSIBLE_CONFIG"}
    return {
        **environment,
        "ANSIBLE_COLLECTIONS_PATH": f"{installed}:{sysconfig.get_path('purelib')}",
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
    }


def ansible_doc(installed: Path, *arguments: str) -> dict[str, object]:
    """Run ``ansible-doc --json`` with the installed collection before the checkout."""
    done = subprocess.run(
        [BIN / "ansible-doc", "--json", *arguments],
        cwd=installed,
        env=alone(installed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents = json.loads(done.stdout)
    assert isinstance(documents, dict)
    return documents


def module_names(root: Path) -> list[str]:
    """Modules by their files."""
    return sorted(p.stem for p in (root / "plugins/modules").glob("*.py") if p.stem != "__init__")


def filter_names(root: Path) -> list[str]:
    """Filters by what each ``FilterModule.filters`` returns, read from the source."""
    names: list[str] = []
    for path in (root / "plugins/filter").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name == "filters":
                dictionaries = [n for n in ast.walk(node) if isinstance(n, ast.Dict)]
                keys = [key for dictionary in dictionaries for key in dictionary.keys]
                names += [str(key.value) for key in keys if isinstance(key, ast.Constant)]
    return sorted(names)


def test_the_archive_holds_what_an_installation_uses(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = set(archive.getnames())
    needed = {
        "LICENSE",
        "README.md",
        "meta/runtime.yml",
        "playbooks/site.yml",
        "pyproject.toml",
        "requirements/runtime.txt",
        "src/inferencebox/__main__.py",
        # What playbooks/verify.yml runs.
        "tests/conftest.py",
        "tests/behaviour/conftest.py",
        "tests/behaviour/test_isolation.py",
    }
    assert needed <= names, f"missing: {sorted(needed - names)}"


def test_the_archive_holds_nothing_made_or_private(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        tops = {name.split("/")[0] for name in archive.getnames()}
        names = archive.getnames()
    private = {".venv", ".cache", ".git", ".ci", ".ansible", "extensions", "build", "dist"}
    assert not tops & private
    suites = {name.split("/")[1] for name in names if name.startswith("tests/")}
    assert {name for name in suites if not name.endswith(".py")} == {"behaviour"}
    made = (".pyc", ".tar.gz", "__pycache__")
    assert [n for n in names if n.endswith(made) or ".egg-info" in n] == []


@pytest.mark.parametrize("kind", ["module", "filter"])
def test_every_plugin_of_the_installed_collection_is_documented(
    root: Path, installed: Path, kind: str
) -> None:
    names = module_names(root) if kind == "module" else filter_names(root)
    assert names, f"no {kind} was found in the checkout"
    qualified = [f"inferencebox.platform.{name}" for name in names]
    documents = ansible_doc(installed, "--type", kind, *qualified)
    assert sorted(documents) == qualified
    for name, document in documents.items():
        assert isinstance(document, dict)
        assert document["doc"]["short_description"], name
        assert document["doc"]["filename"].startswith(str(installed)), name
        assert document["examples"], f"{name} shows no example"


def test_the_installed_collection_has_the_main_playbook(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            BIN / "ansible-playbook",
            "inferencebox.platform.site",
            "--syntax-check",
            "-i",
            "localhost,",
        ],
        cwd=tmp_path,
        env=alone(installed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stdout


def test_no_file_names_a_package_registry(root: Path) -> None:
    found = []
    for path in tracked_files(root):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = enumerate(text.splitlines(), start=1)
        found += [
            f"{path.relative_to(root)}:{n}" for n, line in lines if REGISTRY_HOSTS.search(line)
        ]
    assert found == []


@pytest.mark.parametrize("name", PINNED)
def test_every_requirement_is_pinned_by_hash(root: Path, name: str) -> None:
    lines = (root / f"requirements/{name}.txt").read_text().splitlines()
    content = [line for line in lines if line and not line.lstrip().startswith("#")]
    hashes = [line for line in content if re.match(r"^ {4}--hash=sha256:[0-9a-f]{64}( \\)?$", line)]
    requirements = [line for line in content if PIN.match(line)]
    assert requirements
    assert sorted(hashes + requirements) == sorted(content)
    for first, second in zip(content, [*content[1:], ""], strict=True):
        if first in requirements:
            assert second in hashes, f"{first} has no hash"


def test_a_package_has_one_version_in_all_files(root: Path) -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    for name in PINNED:
        for package, version in pins(root, name).items():
            versions.setdefault(package, set()).add(version)
    assert {package: v for package, v in versions.items() if len(v) > 1} == {}


def test_the_tests_environment_holds_all_of_the_driver(root: Path) -> None:
    driver, test = (
        {(package, version) for (package, _), version in pins(root, name).items()}
        for name in ("driver", "test")
    )
    assert driver <= test


def test_what_the_project_needs_is_pinned_where_it_is_installed(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    names = [re.split(r"[\[<>=~ ;]", text)[0] for text in project["project"]["dependencies"]]
    names += project["build-system"]["requires"]
    driver = {name for name, _ in pins(root, "driver")}
    assert set(names) <= driver
    runtime = {name for name, _ in pins(root, "runtime")}
    assert set(project["build-system"]["requires"]) <= runtime


def test_both_manifests_name_one_version(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    galaxy = yaml.safe_load((root / "galaxy.yml").read_text())
    assert project["project"]["version"] == galaxy["version"]


def test_the_action_group_names_every_module(root: Path) -> None:
    runtime = yaml.safe_load((root / "meta/runtime.yml").read_text())
    assert runtime["action_groups"]["all"] == module_names(root)


def test_every_module_has_an_action_that_runs_it_directly(root: Path) -> None:
    runtime = yaml.safe_load((root / "meta/runtime.yml").read_text())
    actions = {path.stem for path in (root / "plugins/action").glob("*.py")}
    assert runtime["plugin_routing"]["modules"] == {
        name: {"action_plugin": "inferencebox.platform.direct"}
        for name in module_names(root)
        if name not in actions
    }
