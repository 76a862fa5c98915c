# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform as Kubernetes objects: pure functions from the inventory to plain data.

naming          names, hosts, identities, labels        objects    how an object begins
manifests       objects as YAML
system          the platform's own namespace
models          what KServe serves, with runtimes, scaling, sources, llm, quantities
gateway         tier 1, with gateway_routes, gateway_policies, gateway_names, providers
callers         what is made at install: keys of issuers, API keys
components      what must be installed around all this, with component_values
records         what an installed platform says of itself
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InventoryError, Problem
from ..inventory import Platform, load
from . import admission, certificates, gateway, mesh, models, observability, system, tenants
from .callers import Callers
from .manifests import to_yaml
from .objects import Object

Part = Callable[[Platform], list[Object]]

# What a platform is made of, in the order in which it is applied: nothing refers to a later part in a
# way that an API server would refuse.
PARTS: Mapping[str, Part] = {
    "system": system.objects,
    "admission": admission.objects,
    "certificates": certificates.objects,
    "tenants": tenants.objects,
    "models": models.objects,
    "mesh": mesh.objects,
    "routes": mesh.routes,
    "gateway": gateway.objects,
    "observability": observability.objects,
}


def load_cluster_platform(variables: Mapping[str, Any]) -> Platform:
    """Validate an inventory whose objects are wanted.

    Args:
        variables: Its variables as plain data.

    Raises:
        InventoryError: It is not valid, or its target is not a cluster.
    """
    return require_cluster(load(variables))


def require_cluster(platform: Platform) -> Platform:
    """Refuse a platform that has no objects.

    Raises:
        InventoryError: Its target is not a cluster.
    """
    if platform.target != "kubernetes":
        remedy = "Objects are made for target kubernetes alone."
        raise InventoryError([Problem("platform_target", platform.target, "is no cluster", remedy)])
    return platform


def objects(
    platform: Platform, part: str | None = None, callers: Callers | None = None
) -> list[Object]:
    """Make the objects of a platform.

    Args:
        platform: A platform whose target is kubernetes.
        part: One of `PARTS`; all of them where it is None.
        callers: Who vouches for callers, made at install; part `gateway` is not complete without it.

    Returns:
        Objects in the order in which they are applied.

    Raises:
        KeyError: There is no such part.
    """
    wanted = PARTS if part is None else {part: PARTS[part]}
    found = []
    for name, make in wanted.items():
        if name == "gateway" and callers is not None:
            found += callers.objects(platform) + gateway.objects(platform, callers.keys)
        else:
            found += make(platform)
    return found


def manifests(platform: Platform) -> dict[str, str]:
    """Make the objects of a platform as files.

    Args:
        platform: A platform whose target is kubernetes.

    Returns:
        YAML by file name, one file for each part that has objects; the names sort in the order in
        which they are applied.
    """
    made = {
        f"{place:02d}-{part}.yml": make(platform)
        for place, (part, make) in enumerate(PARTS.items(), start=1)
    }
    return {name: to_yaml(found) for name, found in made.items() if found}


__all__ = [
    "PARTS",
    "Callers",
    "Object",
    "Part",
    "load_cluster_platform",
    "manifests",
    "objects",
    "require_cluster",
    "to_yaml",
]
