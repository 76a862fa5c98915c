# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Knative Serving as a node of plain binaries has it: with the project's own controller of Ingresses, and a gateway."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import manifests
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    NAMESPACES,
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    component_values,
    components,
    knative,
)

from inferencebox.bundle.charts import make_manifest
from inferencebox.bundle.recipes import KNATIVE
from inferencebox.programs import building
from tests.cluster import steps
from tests.cluster.node.sandbox import Program

from . import helm, istio

_SECONDS = 300.0


def programs() -> dict[str, Program]:
    """What stands for the images of Knative and of the controller."""
    serving = building.directory("knative")
    found = {name: serving / f"knative-{name}" for name in KNATIVE}
    found["knative-ingress"] = building.directory("knative-ingress") / "knative-ingress"
    return {
        name: Program({f"/programs/{name}": path}, (f"/programs/{name}",))
        for name, path in found.items()
    }


def install(kubeconfig: str, platform: Platform) -> None:
    """Install Knative as the layer `serving` does, and wait until it is there."""
    (row,) = (
        one
        for one in components.layer(platform, "serving")["manifests"]
        if one["component"] == "knative-serving"
    )
    with tempfile.TemporaryDirectory() as directory:
        bundle = Path(directory)
        files = [Path(file).relative_to(platform.bundle or "/") for file in row["files"]]
        for file in files:
            make_manifest(bundle, str(file.parent), file.name)
        published = manifests.read([str(bundle / file) for file in files])
    own = [
        one
        for one in components.namespaces(platform)
        if one["metadata"]["name"] == NAMESPACES["knative"]
    ]
    objects = [*own, *manifests.overlaid(published, knative.overlay(platform))]
    report = steps.Platform(platform.name, kubeconfig).apply(objects, wait_timeout=_SECONDS)
    if report.problem:
        raise RuntimeError(report.problem)
    values = component_values.knative_gateway(platform)
    helm.install(
        kubeconfig, "istio-ingressgateway", istio.charts() / "gateway", istio.NAMESPACE, values
    )
