# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects that are applied: a rendered platform with as many tenants and models as it takes."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import connect
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import Owner
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load

Object = dict[str, t.Any]
_TENANTS = 20


def platform_objects(name: str, wanted: int, kubeconfig: str) -> list[Object]:
    """Render a platform of its own for one way, so that ways do not meet.

    Args:
        name: Name of the way, of which the platform and all its namespaces are named.
        wanted: How many objects.
        kubeconfig: Cluster whose kinds count; what it does not serve is left out.

    Returns:
        The first objects of the platform in the order of its parts, labelled as its own.
    """
    tenants = [f"{name}-{number}" for number in range(_TENANTS)]
    platform = load(
        {
            "platform_name": name,
            "platform_target": "kubernetes",
            "platform_domain": "inference.example.org",
            "platform_home": "/srv/bench",
            "platform_cluster": {"namespace": f"{name}-system"},
            "tenants": [
                {"name": tenant, "models": {"allow": [f"model-{tenant}"]}} for tenant in tenants
            ],
            "models": [
                {
                    "name": f"model-{tenant}",
                    "tenant": tenant,
                    "framework": "sklearn",
                    "source": "s3://models/iris",
                }
                for tenant in tenants
            ],
        }
    )
    with connect(kubeconfig) as api:
        served = Resources.of(api)
    found = [
        copy.deepcopy(one)
        for one in kubernetes.objects(platform)
        if served.find(one["apiVersion"], one["kind"])
    ]
    homes = {one["metadata"]["name"] for one in found if one["kind"] == "Namespace"}
    # Nothing in namespaces of components, of which there are none here.
    own = [one for one in found if one["metadata"].get("namespace", f"{name}-system") in homes]
    # Namespaces first: the ways that keep the order given need it so.
    own.sort(key=lambda one: one["kind"] != "Namespace")
    if len(own) < wanted:
        raise ValueError(f"{len(own)} objects, {wanted} are wanted")
    for one in own:
        one["metadata"]["labels"] = {**one["metadata"].get("labels", {}), **Owner(name).labels}
    return own[:wanted]


def count(name: str, kubeconfig: str) -> int:
    """Objects of one way's platform that the cluster has."""
    with connect(kubeconfig) as api:
        kinds = Resources.of(api).deletable()
        return sum(
            1
            for kind in kinds
            for _ in api.list_all(kind.collection(), Owner(name).selector, metadata_only=True)
        )
