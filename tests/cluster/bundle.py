# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A `platform_bundle` of upstream's own charts and manifests, made of Go modules; none of them is kept here.

They have the names of the releases that platforms of published and of built images ask for. Some components are in no module, and one
needs a node, where its webhook's certificate is issued: `MISSING` names them.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS, train

from inferencebox.bundle import charts

_TRAINS = [train(max(TRAINS), source) for source in ("published", "built")]

# Components of the train that such a platform is told to have already.
MISSING = ("ai-gateway", "kube-prometheus-stack", "jaeger", "opentelemetry-collector")

_COMPONENTS = {
    **dict.fromkeys(("base", "cni", "istiod", "gateway"), "istio"),
    **dict.fromkeys(("gateway-crds-helm", "gateway-helm"), "envoy-gateway"),
    **dict.fromkeys(("ai-gateway-crds-helm", "ai-gateway-helm"), "ai-gateway"),
}


def make(folder: Path) -> Path:
    """Fill a folder as `platform_bundle` expects it.

    Raises:
        BundleError: A module cannot be had, or Helm refuses a chart.
    """
    for name in charts.CHARTS:
        component = _COMPONENTS.get(
            name, name.partition("-")[0] if name.startswith("kserve") else name
        )
        for one in _TRAINS:
            charts.make_chart(folder, f"{name}-{one.components[component].version}.tgz")
    gateway_api = _TRAINS[0].components["gateway-api"]
    place = f"manifests/gateway-api-{gateway_api.version}"
    charts.make_manifest(folder, place, gateway_api.manifest_urls[0].rpartition("/")[2])
    return folder
