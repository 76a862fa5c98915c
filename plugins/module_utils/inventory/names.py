# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names that follow from names in the inventory, where a machine or a cluster sets limits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

# utmp keeps 32 bytes of a user name, the last of which must stay free.
USER_NAME_CHARACTERS = 31

# sun_path in sys/un.h holds 108 bytes, one of them the terminating zero.
SOCKET_PATH_BYTES = 107

# Below the home, a replica's socket is run/models/TENANT/ and 12 hexadecimal digits with .sock.
_REPLICA_SOCKET = "/run/models/{tenant}/0123456789ab.sock"

# Namespaces of the components that a cluster needs, as their charts and manifests name them. No
# tenant may have one of these names.
NAMESPACES: Mapping[str, str] = {
    "cert_manager": "cert-manager",
    "istio": "istio-system",
    "knative": "knative-serving",
    "keda": "keda",
    "envoy_gateway": "envoy-gateway-system",
    "ai_gateway": "envoy-ai-gateway-system",
    "kserve": "kserve",
    "lws": "lws-system",
    "monitoring": "monitoring",
    "kiali": "kiali-operator",
}


def is_system_namespace(name: str) -> bool:
    """Whether a namespace of that name belongs to the cluster or a component."""
    return name == "default" or name.startswith("kube-") or name in NAMESPACES.values()


def unix_user(platform: str, role: str) -> str:
    """Name the Unix user of a tier, a service or a tenant.

    Args:
        platform: Name of the platform.
        role: Name of a tier or service, or "t-" and the name of a tenant.

    Returns:
        At most 31 characters; a name that would be longer ends in a part of its digest.
    """
    name = f"ib-{platform}-{role}"
    if len(name) <= USER_NAME_CHARACTERS:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: USER_NAME_CHARACTERS - 9]}-{digest}"


def spare_socket_bytes(home: str, tenant: str) -> int:
    """Say how much longer the path of a tenant's sockets could be.

    Args:
        home: The platform's home.
        tenant: Name of the tenant.

    Returns:
        Bytes; negative where the path is too long for a Unix socket.
    """
    path = home + _REPLICA_SOCKET.format(tenant=tenant)
    return SOCKET_PATH_BYTES - len(path.encode())
