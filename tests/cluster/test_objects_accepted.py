# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every object of the shipped inventories and of the samples, taken by a real API server.

Upstream's definitions, unknown fields refused, CEL rules and admission policies on. On the tests' own control plane
the objects are applied and removed again; in a given cluster each is only tried there.
"""

from __future__ import annotations

import os
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import connect
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resources,
)

from inferencebox.cli.config import load_inventory
from tests.cluster.steps import Object, Platform, homes, statuses
from tests.unit.plugins.module_utils.kubernetes import sample

_ROOT = Path(__file__).resolve().parents[2]
_GIVEN = bool(os.environ.get("KUBECONFIG"))


def _inventories() -> t.Iterator[str]:
    """Those whose target is a cluster."""
    for path in sorted((_ROOT / "inventories").iterdir()):
        if "platform_target: kubernetes" in (path / "group_vars/all/platform.yml").read_text():
            yield path.name


INVENTORIES = list(_inventories())
_SAMPLES = {
    "sample-full": sample.full,
    "sample-node": sample.traced_node,
    "sample-pools": sample.pools,
    "sample-small": sample.small,
}
SOURCES = [*INVENTORIES, *_SAMPLES]
# What these platforms hold, as the table of levels names it.
_PROVEN = ["tenants", "admission", "models", "keda", "knative", "llm-d", "tier1", "tier1-ai"]
_PROVEN += ["tier1-standalone", "tier2", "certificates", "observability"]


def rendered(source: str) -> tuple[str, list[Object]]:
    """Name and objects of a platform."""
    if source in _SAMPLES:
        platform = _SAMPLES[source]()
    else:
        platform = load_inventory(str(_ROOT / "inventories" / source))
    return platform.name, kubernetes.objects(platform)


@pytest.fixture(scope="module")
def served(defined: str) -> Resources:
    """What the cluster serves."""
    with connect(defined) as api:
        return Resources.of(api)


def checkable(objects: list[Object], served: Resources) -> list[Object]:
    return [one for one in objects if served.find(one["apiVersion"], one["kind"])]


def test_there_are_inventories_for_clusters() -> None:
    assert {"existing", "kind"} <= set(INVENTORIES)


@pytest.mark.proves("L1", *_PROVEN)
@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_is_served(source: str, served: Resources) -> None:
    _, objects = rendered(source)
    kinds = {(one["apiVersion"], one["kind"]) for one in objects}
    missing = sorted(
        f"{kind} ({version})" for version, kind in kinds if not served.find(version, kind)
    )
    if missing and _GIVEN:
        pytest.skip(f"not checked, the given cluster does not serve {', '.join(missing)}")
    assert missing == []


@pytest.fixture(scope="module")
def homed(defined: str) -> t.Iterator[str]:
    """The kubeconfig of a cluster that has the namespaces of components, which others make."""
    spaces = {
        one["metadata"]["name"]: one for source in SOURCES for one in homes(rendered(source)[1])
    }
    others = Platform("components", defined)
    assert not others.apply(list(spaces.values())).problem
    yield defined
    removed = others.apply([], prune=True, wait_timeout=300)
    assert not removed.problem, removed.problem


@pytest.mark.proves("L1", *_PROVEN)
@pytest.mark.skipif(_GIVEN, reason="a given cluster keeps its namespaces")
@pytest.mark.parametrize("source", SOURCES)
def test_all_objects_are_applied_once_and_removed(
    source: str, served: Resources, homed: str
) -> None:
    name, objects = rendered(source)
    found = checkable(objects, served)
    platform = Platform(name, homed)
    try:
        report = platform.apply(found)
        assert not report.problem, report.problem
        assert Counter(one.status for one in report.outcomes) == {"created": len(found)}
        again = platform.apply(found, diff=True)
        assert [key for key, status in statuses(again).items() if status != "unchanged"] == []
    finally:
        removed = platform.apply([], prune=True, wait_timeout=300)
    assert not removed.problem, removed.problem
    assert Counter(one.status for one in removed.outcomes) == {"deleted": len(found)}


@pytest.mark.parametrize("source", SOURCES)
def test_every_object_is_tried(source: str, served: Resources, platform: Platform) -> None:
    """One namespace stands for all, so that nothing but that one is made."""
    _, objects = rendered(source)
    assert not platform.apply([platform.space()]).problem
    tried = []
    for number, one in enumerate(checkable(objects, served)):
        metadata = {key: value for key, value in one["metadata"].items() if key != "labels"}
        if "namespace" in metadata:
            metadata["namespace"] = platform.namespace
            # Two namespaces may have objects of one name.
            metadata["name"] = f"{metadata['name'][:40].rstrip('-.')}-{number}"
        tried.append({**one, "metadata": metadata})
    report = platform.apply([platform.space(), *tried], check=True)
    assert not report.problem, report.problem
    assert [one for one in report.outcomes if one.message] == []
