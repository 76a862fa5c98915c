# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's own namespace and the identities of its tiers."""

from __future__ import annotations

from ..inventory import Platform
from . import naming
from .objects import Maker, Object


def objects(platform: Platform) -> list[Object]:
    """Make the namespace of both tiers, closed by default.

    Returns:
        Namespace, ServiceAccounts and NetworkPolicy.
    """
    make = Maker(platform)
    return [
        make.cluster_wide("v1 Namespace", platform.cluster.namespace, {}, labels=restricted_pods()),
        *(
            make.namespaced("v1 ServiceAccount", tier, {"automountServiceAccountToken": False})
            for tier in (naming.TIER1, naming.TIER2)
        ),
        make.namespaced(
            "networking.k8s.io/v1 NetworkPolicy",
            "default-deny",
            {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
        ),
    ]


def restricted_pods() -> dict[str, str]:
    """Labels by which a namespace refuses every pod that asks for a privilege.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    prefix = "pod-security.kubernetes.io"
    return {
        f"{prefix}/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", "restricted"), ("-version", "latest"))
    }
