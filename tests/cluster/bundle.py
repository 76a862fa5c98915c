# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A `platform_bundle` of upstream's own charts and manifests, made of Go modules; none of them is kept here.

Envoy Gateway's charts are added, whose images cannot be built. Some components are in no module: `MISSING` names them.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS

from inferencebox.bundle import charts
from tests.cluster import definitions

_TRAIN = TRAINS[max(TRAINS)]

# Components of the train whose charts no module carries.
MISSING = ("ai-gateway", "kube-prometheus-stack", "jaeger", "opentelemetry-collector")

# What Envoy Gateway's release fills into its chart.
FILLED = {
    "${GatewayImage}": "docker.io/envoyproxy/gateway:release",
    "${GatewayImagePullPolicy}": "IfNotPresent",
}
_COMPONENTS = {"base": "istio", "cni": "istio", "istiod": "istio", "gateway": "istio"}


def make(folder: Path) -> Path:
    """Fill a folder as `platform_bundle` expects it.

    Raises:
        BundleError: A module cannot be had, or Helm refuses a chart.
    """
    for name in charts.CHARTS:
        component = _COMPONENTS.get(
            name, name.partition("-")[0] if name.startswith("kserve") else name
        )
        charts.make_chart(folder, f"{name}-{_TRAIN.components[component].version}.tgz")
    (gateway,) = (one for one in definitions.SOURCES if one.component == "envoy-gateway")
    for name in ("gateway-crds-helm", "gateway-helm"):
        version = _TRAIN.components[gateway.component].version
        charts.package(gateway.directory() / "charts" / name, version, folder / "charts", FILLED)
    gateway_api = _TRAIN.components["gateway-api"]
    place = f"manifests/gateway-api-{gateway_api.version}"
    charts.make_manifest(folder, place, gateway_api.manifest_urls[0].rpartition("/")[2])
    return folder
