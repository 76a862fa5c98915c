# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Istio: istiod with its webhooks, and the chart of tier 2's gateway."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.bundle import ISTIO
from tests.cluster.node.sandbox import Program

from . import helm

NAMESPACE = "istio-system"
# Where the node's own Envoy lies in a proxy's container.
ENVOY = "/programs/envoy"

BASE: t.Mapping[str, t.Any] = {
    # Without it, objects that name no revision are not validated.
    "defaultRevision": "default",
}
ISTIOD: t.Mapping[str, t.Any] = {
    "autoscaleEnabled": False,
    "cni": {"enabled": True},
    "global": {"hub": "docker.io/istio", "tag": "tests"},
    "meshConfig": {
        "extensionProviders": [
            {
                "name": "otel",
                "opentelemetry": {
                    "service": "otel-collector.monitoring.svc.cluster.local",
                    "port": 4317,
                },
            }
        ],
        "defaultConfig": {"drainDuration": "5s", "binaryPath": ENVOY},
    },
    # Upstream's Envoy lacks Istio's own extensions; with any of these three, it rejects every listener.
    "telemetry": {"enabled": False},
    "env": {"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"},
}


def programs() -> dict[str, Program]:
    """What stands for istiod's image."""
    built = binaries.directory("istio")
    place = "/programs/pilot-discovery"
    return {"pilot": Program({place: built / "pilot-discovery"}, (place,))}


def charts() -> Path:
    """Where the module keeps its charts."""
    return ISTIO.directory() / "manifests/charts"


def install(kubeconfig: str) -> None:
    """Install base and istiod, and wait until istiod answers."""
    helm.install(kubeconfig, "istio-base", charts() / "base", NAMESPACE, BASE)
    chart = charts() / "istio-control/istio-discovery"
    helm.install(kubeconfig, "istiod", chart, NAMESPACE, ISTIOD)
