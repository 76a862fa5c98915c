# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of Go modules; that Helm packs their charts, tests/cluster shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    Platform,
    load,
    to_vars,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import components

from inferencebox.bundle import charts
from inferencebox.bundle.errors import BundleError
from tests.unit.plugins.module_utils.kubernetes import sample


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts/base-1.31.0.tgz").write_text("packed")
    assert not charts.make_chart(tmp_path, "base-1.31.0.tgz")
    folder = tmp_path / "manifests/gateway-api-v1.6.1"
    folder.mkdir(parents=True)
    (folder / "install.yaml").write_text("---")
    assert not charts.make_manifest(tmp_path, "manifests/gateway-api-v1.6.1", "install.yaml")


def test_what_no_module_has_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"platform_cluster\.provided"):
        charts.make_chart(tmp_path, "kube-prometheus-stack-88.5.3.tgz")
    with pytest.raises(BundleError, match=r"core\.yaml of knative-serving"):
        charts.make_manifest(tmp_path, "manifests/knative-serving-v1", "core.yaml")


@pytest.mark.parametrize("mode", ["standard", "knative"])
def test_modules_have_what_a_platform_of_built_images_needs(mode: str) -> None:
    variables: dict[str, Any] = to_vars(sample.small()) | {
        "platform_images": {"registry": "localhost/inferencebox", "source": "built"},
        "platform_cluster": {"provider": "node", "service_type": "NodePort"},
        "platform_bundle": "/srv/bundle",
    }
    for model in variables["models"]:
        model["serving"] |= {"mode": mode}
    modules_have(load(variables))


@pytest.mark.parametrize("engine", ["standalone", "controller"])
def test_modules_have_what_a_node_with_prometheus_and_keda_needs(engine: str) -> None:
    modules_have(load(to_vars(sample.node()) | {"platform_engine": {"gateway": engine}}))


def modules_have(platform: Platform) -> None:
    """Look for each chart and each manifest of a platform."""
    found = components.files(platform)
    names = {row["file"].removesuffix(f"-{row['version']}.tgz") for row in found["charts"]}
    assert names <= set(charts.CHARTS)
    versions = {name: one.version for name, one in TRAINS[platform.train].components.items()}
    manifests = {
        f"{name}/{row['url'].rpartition('/')[2]}"
        for row in found["manifests"]
        for name in versions
        if row["directory"] == f"manifests/{name}-{versions[name]}"
    }
    assert len(manifests) == len(found["manifests"])
    assert manifests <= set(charts.MANIFESTS)
