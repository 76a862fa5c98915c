# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Istio: istiod with its webhooks, and the chart of tier 2's gateway."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import Platform
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    component_values,
    naming,
)

from inferencebox.bundle.charts import ISTIO
from inferencebox.programs import building
from tests.cluster.node.sandbox import Program

from . import helm

NAMESPACE = "istio-system"
# Where the node's own Envoy lies in a proxy's container.
ENVOY = "/programs/envoy"

# Of the tests' proxies alone.
_PROXIES: t.Mapping[str, t.Any] = {
    "autoscaleEnabled": False,
    "global": {"hub": "docker.io/istio", "tag": "tests"},
    "meshConfig": {"defaultConfig": {"drainDuration": "5s", "binaryPath": ENVOY}},
    # Upstream's Envoy lacks Istio's own extensions; with any of these three, it rejects every listener.
    "telemetry": {"enabled": False},
    "env": {"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"},
}


def programs() -> dict[str, Program]:
    """What stands for istiod's image."""
    built = building.directory("istio")
    place = "/programs/pilot-discovery"
    return {"pilot": Program({place: built / "pilot-discovery"}, (place,))}


def charts() -> Path:
    """Where the module keeps its charts."""
    return ISTIO.directory() / "manifests/charts"


def install(kubeconfig: str, platform: Platform) -> None:
    """Install base and istiod as the platform needs them, and wait until istiod answers."""
    values = component_values.istio_base(platform)
    helm.install(kubeconfig, "istio-base", charts() / "base", NAMESPACE, values)
    chart = charts() / "istio-control/istio-discovery"
    values = helm.merged(component_values.istiod(platform), _PROXIES)
    helm.install(kubeconfig, "istiod", chart, NAMESPACE, values)


def install_tier2(kubeconfig: str, platform: Platform) -> None:
    """Install tier 2's pods, and wait until they are there."""
    values = helm.merged(component_values.tier2(platform), {"autoscaling": {"enabled": False}})
    namespace = platform.cluster.namespace
    helm.install(kubeconfig, naming.TIER2, charts() / "gateway", namespace, values)
