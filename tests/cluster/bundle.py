# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A `platform_bundle` of upstream's own charts and manifests, made of Go modules; none of them is kept here.

Modules carry charts as their projects keep them in source. What a project's release does to its charts is done here
too: fill in the version, and placeholders. Some components are in no module: `MISSING` names them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS

from inferencebox.programs import building
from tests.cluster import definitions
from tests.cluster.definitions import Source

_TRAIN = TRAINS[max(TRAINS)]

# Components of the train whose charts no module carries.
MISSING = ("ai-gateway", "kube-prometheus-stack", "jaeger", "opentelemetry-collector")


ISTIO = Source(
    "istio",
    "istio.io/istio",
    "h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI=",
    (),
    # Of this commit the release was made; the module proxy has no tag of it.
    version="v0.0.0-20260827124520-eed52ebb66ad",
)
_BY_COMPONENT = {source.component: source for source in definitions.SOURCES}
# What Envoy Gateway's release fills into its chart.
FILLED = {
    "${GatewayImage}": "docker.io/envoyproxy/gateway:release",
    "${GatewayImagePullPolicy}": "IfNotPresent",
}

# Name of a chart: its module, its folder there, and what the project's release fills in.
CHARTS: Mapping[str, tuple[Source, str, Mapping[str, str]]] = {
    "cert-manager": (_BY_COMPONENT["cert-manager"], "deploy/charts/cert-manager", {}),
    "base": (ISTIO, "manifests/charts/base", {}),
    "cni": (ISTIO, "manifests/charts/istio-cni", {}),
    "istiod": (ISTIO, "manifests/charts/istio-control/istio-discovery", {}),
    "gateway": (ISTIO, "manifests/charts/gateway", {}),
    "gateway-crds-helm": (_BY_COMPONENT["envoy-gateway"], "charts/gateway-crds-helm", {}),
    "gateway-helm": (_BY_COMPONENT["envoy-gateway"], "charts/gateway-helm", FILLED),
    "kserve-crd": (_BY_COMPONENT["kserve"], "charts/kserve-crd", {}),
    "kserve-resources": (_BY_COMPONENT["kserve"], "charts/kserve-resources", {}),
    "kserve-runtime-configs": (_BY_COMPONENT["kserve"], "charts/kserve-runtime-configs", {}),
}


def make(folder: Path) -> Path:
    """Fill a folder as `platform_bundle` expects it.

    Raises:
        RuntimeError: A module cannot be had, or Helm refuses a chart.
    """
    charts = folder / "charts"
    charts.mkdir(parents=True)
    for source, place, placeholders in CHARTS.values():
        root = source.directory()
        _package(root / place, _TRAIN.components[source.component].version, placeholders, charts)
    _gateway_api(folder / "manifests")
    return folder


def _package(chart: Path, version: str, placeholders: Mapping[str, str], destination: Path) -> None:
    copy = destination.parent / "sources" / chart.name
    # Modules lie there read-only.
    copytree(chart, copy, copy_function=_copy)
    for template in copy.rglob("values.tmpl.yaml"):
        text = template.read_text()
        for placeholder, value in placeholders.items():
            text = text.replace(placeholder, value)
        template.with_name("values.yaml").write_text(text)
    helm = building.directory("helm") / "helm"
    done = subprocess.run(
        [
            str(helm),
            "package",
            "--version",
            version,
            "--app-version",
            version,
            "--destination",
            str(destination),
            str(copy),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{chart.name}: {done.stderr}")


def _copy(source: str, target: str) -> None:
    Path(target).write_bytes(Path(source).read_bytes())


def _gateway_api(folder: Path) -> None:
    """The file of a release holds the standard channel's definitions, one after the other."""
    component = _TRAIN.components["gateway-api"]
    root = _BY_COMPONENT["gateway-api"].directory()
    files = sorted((root / "config/crd/standard").glob("gateway.*.yaml"))
    place = folder / f"gateway-api-{component.version}"
    place.mkdir(parents=True)
    name = component.manifest_urls[0].rpartition("/")[2]
    (place / name).write_text("\n---\n".join(file.read_text() for file in files))
