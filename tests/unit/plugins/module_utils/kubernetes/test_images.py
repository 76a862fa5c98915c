# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Under which names a platform asks for its images, in charts and in its own objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import train
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    images,
)

from inferencebox.bundle.recipes import RECIPES

from . import sample

REGISTRY = "registry.example.org:5000/mirror"


def platform(source: str, mode: str = "standard", files: str = "pvc://models/iris") -> Platform:
    """A node of plain binaries, which has no images but those."""
    variables = to_vars(sample.small())
    for model in variables["models"]:
        model["serving"] |= {"mode": mode}
        model["source"] = files
    variables |= {
        "platform_bundle": "/srv/bundle",
        "platform_cluster": {"provider": "node", "service_type": "NodePort"},
    }
    return load({**variables, "platform_images": {"registry": REGISTRY, "source": source}})


def named(value: Any) -> Iterator[str]:
    """Find what `image` keys name, however deep."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "image" and isinstance(each, str):
                yield each
            else:
                yield from named(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from named(each)


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("docker.io/istio/pilot:1.2.3", "istio/pilot"),
        ("registry.k8s.io/pause:3.10.1", "pause"),
        ("r.example.org:5000/a/b/c@sha256:" + "0" * 64, "a/b/c"),
    ],
)
def test_repository_is_what_every_registry_calls_it(image: str, repository: str) -> None:
    assert images.repository(image) == repository


def test_without_a_registry_nothing_is_renamed() -> None:
    small = sample.small()
    assert images.address(small, "docker.io/istio/pilot:1") == "docker.io/istio/pilot:1"
    rows = components.releases(small)
    text = str([row["values"] for row in rows])
    assert "hub" not in text
    assert "imageRegistry" not in text


@pytest.mark.parametrize("source", ["published", "built"])
def test_own_objects_name_the_registry(source: str) -> None:
    remapped = platform(source)
    found = {one for each in kubernetes.objects(remapped) for one in named(each)}
    assert found
    own = remapped.cluster.runtime_image
    assert all(one.startswith(f"{REGISTRY}/") or one == own for one in found)
    assert found - {own} <= {
        one.name for one in images.needed(remapped, components.installed(remapped))
    }


def test_charts_are_told_the_registry() -> None:
    remapped = platform("published")
    rows = {row["name"]: row["values"] for row in components.releases(remapped)}
    assert rows["cert-manager"]["imageRegistry"] == REGISTRY
    for name in ("istiod", "istio-cni"):
        assert rows[name]["global"]["hub"] == f"{REGISTRY}/istio"
        assert rows[name]["global"]["tag"] == train(remapped.train).components["istio"].version
    kserve = rows["kserve"]["kserve"]
    assert kserve["controller"]["image"] == f"{REGISTRY}/kserve/kserve-controller"
    assert kserve["controller"]["rbacProxyImage"].startswith(f"{REGISTRY}/brancz/kube-rbac-proxy:")
    runtimes = rows["kserve-runtimes"]["kserve"]["servingruntime"]
    assert runtimes.pop("enabled") is True
    assert {each["image"].startswith(f"{REGISTRY}/") for each in runtimes.values()} == {True}


def test_only_built_images_take_extensions_from_istio() -> None:
    def istiod(source: str) -> dict[str, Any]:
        rows = components.releases(platform(source))
        return next(row["values"] for row in rows if row["name"] == "istiod")

    built = istiod("built")
    assert built["telemetry"] == {"enabled": False}
    assert built["env"] == {
        "PILOT_ENABLE_METADATA_EXCHANGE": "false",
        "PILOT_ENABLE_ALPN_FILTER": "false",
    }
    assert not {"telemetry", "env"} & set(istiod("published"))


def test_every_image_that_is_asked_of_built_ones_has_a_recipe() -> None:
    found = set()
    for mode in ("standard", "knative"):
        built = platform("built", mode)
        found |= {one.repository for one in images.needed(built, components.installed(built))}
    observed = sample.traced_node()
    controlled = load(to_vars(sample.node()) | {"platform_engine": {"gateway": "controller"}})
    found |= {one.repository for one in images.needed(controlled, components.installed(controlled))}
    found |= {one.repository for one in images.needed(observed, components.installed(observed))}
    fetched = platform("built", files="https://store.example.org/iris.joblib")
    fetching = {one.repository for one in images.needed(fetched, components.installed(fetched))}
    # Nobody else's bundle grows by it.
    assert fetching - found == {"kserve/storage-initializer"}
    assert found | fetching == set(RECIPES)


def test_every_image_has_a_tag_and_stands_once() -> None:
    published = platform("published")
    found = images.needed(published, components.installed(published))
    names = [one.name for one in found]
    assert len(names) == len(set(names))
    assert all(re.search(r":[^/]+$", name) for name in names)


def test_published_images_of_models_are_those_of_their_runtimes() -> None:
    found = images.needed(sample.full(), [])
    runtimes = {one.repository for one in found}
    assert "kserve/sklearnserver" in runtimes
    assert all(one.name == one.published or not one.published for one in found)
