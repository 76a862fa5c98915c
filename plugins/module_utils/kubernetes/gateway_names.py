# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the parts of tier 1 call each other."""

from __future__ import annotations

from dataclasses import dataclass

from ..inventory import Platform
from . import naming
from .objects import Object

GATEWAY_GROUP = "gateway.networking.k8s.io"
ENVOY_GROUP = "gateway.envoyproxy.io"
AI_GROUP = "aigateway.envoyproxy.io"

# The Gateway, its EnvoyProxy and the policies on it.
EDGE = naming.TIER1
# Where the AI Gateway's filter finds a route by this beginning, it lets the route alone; it answers 404 for
# every other path of a plain HTTPRoute. (Upstream means it for its own routes to MCP servers.)
PLAIN_ROUTE_PREFIX = "ai-eg-mcp-"

MODEL_HEADER = "x-ai-eg-model"
TENANT_HEADER = "x-tenant-id"
# By which the AI Gateway's figures of tokens tell tenants.
TENANT_ATTRIBUTE = f"{TENANT_HEADER}:tenant.id"
USER_HEADER = "x-user-id"
# Id of the key that a request came with; of tier 1 alone, which counts by it.
KEY_HEADER = "x-key-id"

# Headers with a caller's credentials, which nobody behind tier 1 has to know.
CREDENTIAL_HEADERS = ("authorization", "x-api-key", "cookie")


@dataclass(frozen=True)
class ApiKey:
    """An API key that is valid now: its id and its owner, never the key.

    Attributes:
        id: The `jti` of the signed key.
        tenant: The tenant it belongs to.
        requests_per_minute: Its own limit below the tenant's; None where it has none.
    """

    id: str
    tenant: str
    requests_per_minute: int | None = None


def standalone(platform: Platform) -> bool:
    """Whether tier 1 runs without a controller."""
    return platform.engine.gateway == "standalone"


def is_earlier(platform: Platform) -> bool:
    """Whether tier 1 is run by the release of the AI Gateway that can be built, whose rules have no `name` and no idle time."""
    return platform.images.source == "built" and not standalone(platform)


def gateway_reference() -> Object:
    """Refer to the Gateway from a route or a policy of its namespace."""
    return {"group": GATEWAY_GROUP, "kind": "Gateway", "name": EDGE}


def route_reference(name: str) -> Object:
    """Refer to an HTTPRoute from a policy of its namespace."""
    return {"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": name}


def backend_reference(name: str) -> Object:
    """Refer to a Backend from a route of its namespace."""
    return {"group": ENVOY_GROUP, "kind": "Backend", "name": name}
