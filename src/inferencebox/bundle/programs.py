# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The programs that images are built of, and that a node of plain binaries runs, gathered in a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..programs import building, collecting
from .errors import BundleError
from .recipes import KNATIVE, RECIPES

# In which tool each program of a recipe is built.
TOOLS = {
    "ai-gateway-controller": "ai-gateway",
    "ai-gateway-extproc": "ai-gateway",
    "alertmanager": "alertmanager",
    "cert-manager": "cert-manager",
    "coredns": "coredns",
    "envoy-gateway": "envoy-gateway",
    "install-cni": "istio",
    "istio-cni": "istio",
    "keda-adapter": "keda",
    "keda-operator": "keda",
    "knative-ingress": "knative-ingress",
    **{f"knative-{name}": "knative" for name in KNATIVE},
    "kube-rbac-proxy": "kube-rbac-proxy",
    "kube-state-metrics": "kube-state-metrics",
    "manager": "kserve",
    "pause": "pause",
    "pilot-agent": "istio",
    "pilot-discovery": "istio",
    "prometheus": "prometheus",
    "prometheus-config-reloader": "prometheus-operator",
    "prometheus-operator": "prometheus-operator",
    "ratelimit": "ratelimit",
}


def collect(bundle: Path, repositories: Iterable[str], *, kubernetes: str | None) -> list[str]:
    """Put programs into a bundle, and build what has not been built yet.

    Args:
        bundle: The directory.
        repositories: The images that will be built.
        kubernetes: The tool that builds the Kubernetes of a node of plain binaries; None where none will be made.

    Returns:
        Names of the programs that are new or were another build.

    Raises:
        BundleError: One cannot be built, or the directory cannot be written to.
    """
    tools = {TOOLS[name] for one in repositories for name in RECIPES[one].programs}
    if kubernetes:
        tools |= {*collecting.NODE_TOOLS, kubernetes}
    try:
        return collecting.collect(bundle / "programs", sorted(tools))
    except (building.BuildError, OSError) as error:
        raise BundleError(str(error)) from error
