# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Upstream's charts, rendered with the platform's settings: which images they ask for, and whether they are pulled."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    images,
)

from inferencebox.programs import building
from tests.cluster import bundle
from tests.unit.plugins.module_utils.kubernetes import sample

REGISTRY = "registry.example.org:5000/mirror"
# An image with a tag, wherever it stands: in fields, in arguments, and in JSON inside of ConfigMaps.
_IMAGE = re.compile(r"\b([a-z0-9.:-]+(?:/[a-z0-9._-]+)+:v?[0-9][a-zA-Z0-9._-]*)")
# Named in ConfigMaps and arguments only.
_IN_SETTINGS = re.compile(
    r"(proxyv2|kserve/(agent|router|storage-initializer)|acmesolver|envoyproxy/[a-z-]+):"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle.make(tmp_path_factory.mktemp("charts"))


def rendered(row: t.Mapping[str, t.Any], directory: Path) -> str:
    values = directory / f"{row['name']}.json"
    values.write_text(json.dumps(row["values"]))
    helm = building.directory("helm") / "helm"
    words = ["template", row["name"], row["chart"], "--namespace", row["namespace"]]
    done = subprocess.run(
        [str(helm), *words, "--values", str(values), "--kube-version", "1.35.4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def containers(value: t.Any) -> t.Iterator[dict[str, t.Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("image"), str) and "name" in value:
            yield value
        for each in value.values():
            yield from containers(each)
    elif isinstance(value, list):
        for each in value:
            yield from containers(each)


@pytest.mark.parametrize("source", ["published", "built"])
@pytest.mark.parametrize("engine", ["standalone", "controller"])
def test_charts_ask_for_nothing_but_the_images_that_a_bundle_has(
    folder: Path, tmp_path: Path, engine: str, source: str
) -> None:
    variables = to_vars(sample.small()) | {
        "platform_bundle": str(folder),
        "platform_images": {"registry": REGISTRY, "source": source},
        "platform_engine": {"gateway": engine},
    }
    platform = load(variables)
    known = {one.name for one in images.needed(platform, components.installed(platform))}
    seen = set()
    for row in components.releases(platform):
        text = rendered(row, tmp_path)
        for one in yaml.safe_load_all(text):
            for container in containers(one):
                name = container["image"]
                if name == "auto" or "{{" in name:
                    # Chosen by Istio's webhook, when the policy of what has no tag is set already.
                    assert name != "auto" or container["imagePullPolicy"] == "IfNotPresent"
                    continue
                seen.add(name)
                if one["kind"] in ("ClusterServingRuntime", "ClusterStorageContainer"):
                    # Started for models and sources that name them; a bundle has what models name.
                    assert name.startswith(f"{REGISTRY}/")
                else:
                    assert name in known, row["name"]
                assert container.get("imagePullPolicy", "IfNotPresent") == "IfNotPresent"
        spoken = {each for each in _IMAGE.findall(text) if _IN_SETTINGS.search(each)}
        assert {each for each in spoken if not each.startswith(f"{REGISTRY}/")} == set()
    assert {name.removeprefix(f"{REGISTRY}/").rpartition(":")[0] for name in seen} >= {
        "istio/pilot",
        "istio/install-cni",
        "kserve/kserve-controller",
        "jetstack/cert-manager-controller",
        *(["envoyproxy/gateway", "envoyproxy/ai-gateway-controller"] * (engine == "controller")),
    }
