# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where callers reach a platform's edge, and which authority vouches for it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError, RefusedError
from .api import Api

_GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/{}/gateways/{}"
_SERVICES = "/api/v1/namespaces/{}/services/{}"
_SECRETS = "/api/v1/namespaces/{}/secrets/{}"
_AUTHORITY = "ca.crt"


@dataclass(frozen=True)
class Edge:
    """The edge of a platform; fields are empty where the cluster does not say yet.

    Attributes:
        address: Host or IP address that the Gateway, or the Service of its name, got.
        authority: Certificates, as PEM, that vouch for it.
    """

    address: str
    authority: str


def read(api: Api, namespace: str, gateway: str, secret: str) -> Edge:
    """Read the edge.

    Args:
        api: The cluster.
        namespace: Where both objects are.
        gateway: Name of the Gateway, or of the Service where there is none.
        secret: Name of the Secret with its certificate.

    Raises:
        ClusterError: The cluster cannot be reached, or the Secret holds no certificate.
    """
    address = _of_gateway(_get(api, _GATEWAYS.format(namespace, gateway)))
    # Without a controller, a Service of the same name takes its place.
    address = address or _of_service(_get(api, _SERVICES.format(namespace, gateway)))
    held = (_get(api, _SECRETS.format(namespace, secret)).get("data") or {}).get(_AUTHORITY, "")
    try:
        authority = base64.b64decode(held, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ClusterError(
            f"Secret {namespace}/{secret}: {_AUTHORITY} is no certificate"
        ) from error
    return Edge(address, authority)


def _of_gateway(gateway: Mapping[str, Any]) -> str:
    addresses = (gateway.get("status") or {}).get("addresses") or [{}]
    return str(addresses[0].get("value", ""))


def _of_service(service: Mapping[str, Any]) -> str:
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    found = (balancer.get("ingress") or [{}])[0]
    return str(found.get("ip") or found.get("hostname") or "")


def _get(api: Api, path: str) -> dict[str, Any]:
    try:
        return api.get(path)
    except RefusedError as error:
        if error.code == 404:
            return {}
        raise
