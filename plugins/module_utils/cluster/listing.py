# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading many objects of one kind with as few requests as one's rights allow."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..errors import RefusedError
from .api import Api
from .discovery import Resource
from .objects import Key, key_of


def read(
    api: Api, resource: Resource, keys: Collection[Key], selector: str
) -> dict[Key, dict[str, Any]]:
    """Read the objects of a kind that carry some labels.

    One request where all namespaces may be read; else one a namespace, or one an object of the cluster.

    Args:
        api: The cluster.
        resource: The kind.
        keys: Objects of the kind that are of interest; others may come along.
        selector: Label selector.

    Returns:
        The objects by key, with apiVersion and kind; none where the cluster does not know the kind yet.

    Raises:
        RefusedError: The server says no.
        ClusterError: The server cannot be reached.
    """
    try:
        items = list(api.list_all(resource.collection(), selector))
    except RefusedError as error:
        if error.code == 404:
            return {}
        if error.code != 403:
            raise
        items = _one_by_one(api, resource, keys, selector)
    identity = {"apiVersion": resource.api_version, "kind": resource.kind}
    return {key_of(item, resource): {**item, **identity} for item in items}


def _one_by_one(
    api: Api, resource: Resource, keys: Collection[Key], selector: str
) -> list[dict[str, Any]]:
    if resource.namespaced:
        namespaces = sorted({key.namespace for key in keys})
        collections = (resource.collection(namespace) for namespace in namespaces)
        return [item for path in collections for item in api.list_all(path, selector)]
    items = []
    for key in sorted(keys):
        try:
            items.append(api.get(resource.path("", key.name)))
        except RefusedError as error:
            if error.code != 404:
                raise
    return items
