# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removing what an owner applied once and wants no longer, in the reverse order of applying.

The labels say whose an object is, and the field manager says who made it: controllers copy labels to what they
make, and that is theirs to remove. All kinds of the cluster are searched, so nothing needs to be remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..errors import ClusterError, RefusedError
from . import fields, waiting
from .api import CONCURRENCY, Api
from .applying import Outcome
from .discovery import Resource, Resources
from .objects import CRD, Key, Owner, key_of
from .waves import wave


@dataclass(frozen=True)
class Owned:
    """Objects of an owner, as they are in the cluster.

    Attributes:
        items: What the owner applied, by key, with its kind.
        unreadable: Kinds that could not be searched, and why.
    """

    items: Mapping[Key, tuple[Resource, dict[str, Any]]]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """How to prune.

    Attributes:
        check: Change nothing.
        definitions: Remove CustomResourceDefinitions too, and with them everybody's objects of their kinds.
        timeout: Seconds until all must be gone; 0 to ask for it and not look again.
    """

    check: bool = False
    definitions: bool = False
    timeout: float = 0.0


def owned(
    api: Api,
    resources: Resources,
    owner: Owner,
    whole: Callable[[Resource], bool] = lambda _: False,
) -> Owned:
    """Search all kinds for what an owner applied.

    Args:
        api: The cluster.
        resources: Its kinds.
        owner: Whose objects.
        whole: Tells for which kinds to read the objects, not only their metadata.

    Raises:
        ClusterError: The cluster cannot be reached.
    """

    def read(resource: Resource) -> tuple[Resource, list[dict[str, Any]], str]:
        path = resource.collection()
        try:
            full = whole(resource)
            listed = api.list_all(path, owner.selector, metadata_only=not full, patient=False)
            return resource, list(listed), ""
        except RefusedError as error:
            # Gone since, or not to be listed at all.
            reason = "" if error.code in (404, 405) else f"{resource.kind}: {error}"
            return resource, [], reason

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        rows = list(pool.map(read, resources.deletable()))
    items = {
        key_of(item, resource): (resource, item)
        for resource, listed, _ in rows
        for item in listed
        if fields.is_applied(item, owner.manager)
    }
    return Owned(items, tuple(reason for _, _, reason in rows if reason))


def prune(
    api: Api, present: Owned, wanted: Collection[Key], owner: Owner, options: Options
) -> list[Outcome]:
    """Delete what is there and not wanted.

    Args:
        api: The cluster.
        present: What the owner has.
        wanted: What it wants.
        owner: Whose objects.
        options: How.

    Returns:
        One outcome an object that is not wanted; it stops after a wave in which one could not be removed.

    Raises:
        ClusterError: The cluster cannot be reached.
    """
    surplus = sorted(
        (key for key in present.items if key not in wanted), key=lambda key: (-wave(key), key)
    )
    done: list[Outcome] = []
    for _, group in groupby(surplus, key=wave):
        results = _remove(api, {key: present.items[key] for key in group}, owner, options)
        done += results
        if any(one.status == "failed" for one in results):
            break
    return done


def _remove(
    api: Api,
    items: Mapping[Key, tuple[Resource, dict[str, Any]]],
    owner: Owner,
    options: Options,
) -> list[Outcome]:
    def delete(key: Key) -> Outcome:
        resource, item = items[key]
        metadata, version = item["metadata"], resource.api_version
        if (key.group, key.kind) == CRD and not options.definitions:
            return Outcome(key, version, "kept", "others may have objects of this kind")
        if metadata.get("deletionTimestamp"):
            return Outcome(key, version, "terminating")
        try:
            path = resource.path(key.namespace, key.name)
            api.delete(path, metadata["uid"], dry_run=options.check)
        except ClusterError as error:
            if not (isinstance(error, RefusedError) and error.code == 404):
                return Outcome(key, version, "failed", str(error))
        names = {k: metadata[k] for k in ("name", "namespace") if k in metadata}
        before = {"apiVersion": version, "kind": key.kind, "metadata": names}
        return Outcome(key, version, "deleted", before=before)

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        results = list(pool.map(delete, items))
    leaving = [one.key for one in results if one.status in ("deleted", "terminating")]
    if options.check or not options.timeout or not leaving:
        return results
    gone = {key: items[key][0] for key in leaving}
    late = waiting.until_gone(api, gone, owner.selector, options.timeout)
    reasons = {one.key: f"deleted, but still there: {one.reason}" for one in late}
    return [
        Outcome(one.key, one.api_version, "failed", reasons[one.key]) if one.key in reasons else one
        for one in results
    ]
