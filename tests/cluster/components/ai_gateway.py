# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AI Gateway's controller, and what it puts beside tier 1's Envoy.

Its webhook's certificate is the chart's own: nobody issues certificates on such a cluster.
"""

from __future__ import annotations

import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import Platform
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    component_values,
)

from inferencebox.programs import building
from tests.cluster import definitions
from tests.cluster.node.sandbox import Program

from . import helm

NAMESPACE = "envoy-ai-gateway-system"
# Instead of the certificate that the platform has cert-manager issue.
_CERTIFICATE: t.Mapping[str, t.Any] = {
    "controller": {"mutatingWebhook": {"certManager": {"enable": False}}}
}


def programs() -> dict[str, Program]:
    """What stands for its two images."""
    built = building.directory("ai-gateway")
    return {
        f"ai-gateway-{name}": Program({"/app": built / f"ai-gateway-{name}"}, ("/app",))
        for name in ("controller", "extproc")
    }


def install(kubeconfig: str, platform: Platform) -> None:
    """Install it as the platform needs it, and wait until it is there."""
    (source,) = (one for one in definitions.SOURCES if one.component == "ai-gateway")
    chart = source.directory() / "manifests/charts/ai-gateway-helm"
    values = helm.merged(component_values.ai_gateway(platform, "seed"), _CERTIFICATE)
    helm.install(kubeconfig, "aieg", chart, NAMESPACE, values)
