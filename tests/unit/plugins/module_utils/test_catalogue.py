# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The release trains: complete, one owner for each API group, and the only place that names a version."""

from __future__ import annotations

import re
import subprocess
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import (
    TRAINS,
    Component,
    train,
    versions_markdown,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import NAMESPACES
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import Train

# What may hold the same digits: locked packages and modules of other registries, what was measured with
# them, and what is generated from the catalogue or tests it.
_MAY_NAME = re.compile(
    r"requirements/.*\.txt|(.*/)?go\.(mod|sum)|docs/reference/versions\.md|.*/golden/.*|bench/results/.*|docs/performance\.md"
    r"|plugins/module_utils/catalogue\.py|tests/unit/plugins/module_utils/test_catalogue\.py"
)
COMPONENTS = [
    pytest.param(component, id=f"{name}-{key}")
    for name, train in TRAINS.items()
    for key, component in train.components.items()
]


def _digits(version: str) -> str:
    return version.removeprefix("knative-").removeprefix("v")


def test_the_inventory_knows_every_train() -> None:
    assert set(TRAINS) == set(t.get_args(Train))


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_says_where_it_comes_from_and_why(component: Component) -> None:
    for version in filter(None, (component.version, component.built)):
        # A release, or a commit.
        assert re.fullmatch(r"\d+\.\d+\.\d+|[0-9a-f]{8}", _digits(version))
    assert len(component.evidence) > 20
    assert component.charts or component.manifests or component.published_images
    assert all(component.version in url for url in component.manifest_urls)
    for chart in component.charts:
        assert chart.address.startswith("oci://") != bool(chart.name)


def test_every_api_group_has_one_owner() -> None:
    for one in TRAINS.values():
        components = one.components.values()
        # Never both: one of them does the other's work.
        groups = (group for c in components if not c.instead_of for group in c.crds)
        assert [group for group, count in Counter(groups).items() if count > 1] == []


def test_what_does_anothers_work_brings_what_the_other_does() -> None:
    for one in TRAINS.values():
        for other in {c.instead_of for c in one.components.values()} - {""}:
            brought = {
                group for c in one.components.values() if c.instead_of == other for group in c.crds
            }
            assert brought == set(one.components[other].crds)


def test_no_tenant_can_have_the_namespace_of_a_component() -> None:
    for one in TRAINS.values():
        used = {c.namespace for c in one.components.values() if c.namespace}
        assert used <= set(NAMESPACES.values())


def test_what_is_built_is_of_the_release_that_can_be_built() -> None:
    name = max(TRAINS)
    published, built = train(name).components, train(name, "built").components
    for key, one in published.items():
        assert built[key].version == (one.built or one.version)
    differing = {key for key in published if built[key].version != published[key].version}
    assert differing == {"envoy-gateway", "ratelimit", "ai-gateway"}
    assert all(built["ai-gateway"].version in one for one in built["ai-gateway"].published_images)


@pytest.mark.parametrize(
    ("version", "admitted"),
    [("v1.33.9", False), ("1.34.0", True), ("v1.36.4", True), ("1.37", False)],
)
def test_a_range_compares_minor_versions(version: str, admitted: bool) -> None:
    assert TRAINS["2026.11"].kubernetes.admits(version) is admitted


def test_no_other_file_names_a_version(root: Path) -> None:
    named = "|".join(
        re.escape(_digits(c.version)) for one in TRAINS.values() for c in one.components.values()
    )
    pattern = re.compile(rf"(?<![\w.=-])v?({named})(?![\w.-])")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        if _MAY_NAME.fullmatch(name) or not (root / name).is_file():
            continue
        text = (root / name).read_text(encoding="utf-8", errors="replace")
        found += [
            f"{name}:{number}: {match[0]}"
            for number, line in enumerate(text.splitlines(), start=1)
            for match in pattern.finditer(line)
        ]
    assert found == []


def test_the_page_is_current(root: Path) -> None:
    kept = (root / "docs/reference/versions.md").read_text(encoding="utf-8")
    assert kept == versions_markdown(), "run make docs"
