# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster holds of a platform, how far it is, and where it differs from what is wanted. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from . import applying, causes, pruning
from .api import Api, connect
from .applying import Outcome
from .discovery import Resource, Resources
from .objects import Key, Owner, prepare
from .readiness import READY, State, assess, is_awaited

_TENANT = "inferencebox.io/tenant"
_PART = "inferencebox.io/part"
_MODEL = "InferenceService"


@dataclass(frozen=True)
class Reading:
    """State of a platform on a cluster.

    Attributes:
        version: The API server's release.
        objects: One row an object that the platform applied.
        drift: Rows by kind of difference; None where nobody said what is wanted.
        unreadable: Kinds that could not be searched, and why.
        warnings: What a person should know of the connection.
    """

    version: str
    objects: list[dict[str, Any]]
    drift: dict[str, list[dict[str, Any]]] | None
    unreadable: tuple[str, ...]
    warnings: tuple[str, ...]


def read(
    platform: str,
    wanted: Sequence[Mapping[str, Any]] | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
) -> Reading:
    """Read a platform's state.

    Args:
        platform: Name of the platform.
        wanted: All objects that it should consist of; None not to compare.
        kubeconfig: Path; None for the usual places.
        context: Context of it; None for its current one.

    Raises:
        ClusterError: The cluster cannot be used, or the wanted objects are no objects.
    """
    owner = Owner(platform)
    with connect(kubeconfig, context) as api:
        version = str(api.get("/version")["gitVersion"])
        resources = Resources.of(api)
        present = pruning.owned(api, resources, owner, whole=_is_awaited)
        rows = [_row(api, key, *present.items[key]) for key in sorted(present.items)]
        drift = None if wanted is None else _drift(api, resources, owner, wanted, present)
        return Reading(version, rows, drift, present.unreadable, api.warnings)


def _is_awaited(resource: Resource) -> bool:
    return is_awaited(resource.group, resource.kind)


def _row(api: Api, key: Key, resource: Resource, item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    reason, answers = _lack(api, key, item)
    return {
        "api_version": resource.api_version,
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
        "tenant": labels.get(_TENANT, ""),
        "part": labels.get(_PART, ""),
        "created": metadata.get("creationTimestamp", ""),
        "ready": not reason,
        "answers": answers,
        "reason": reason,
        "url": _url(item),
    }


def _lack(api: Api, key: Key, item: Mapping[str, Any]) -> tuple[str, bool]:
    """Why an object is not in force as it is wanted, empty where it is; and whether it answers nevertheless."""
    if item["metadata"].get("deletionTimestamp"):
        return "it is being deleted", False
    verdict = assess(item, key.group, key.kind) or READY
    lack, answers = verdict.reason, False
    if verdict.state is State.READY:
        # A model calls itself ready for as long as its old version answers.
        lack = causes.of_unfinished(api, key, item) if key.kind == _MODEL else ""
        if not lack:
            return "", True
        answers = causes.answers(api, key, item)
    cause = causes.of_workload(api, key, item).text
    told = ["an earlier version answers"] * answers + [lack] + [cause] * bool(cause)
    return "; ".join(told), answers


def _url(item: Mapping[str, Any]) -> str:
    """Where the object says that it is to be reached; only those that serve do."""
    status = item.get("status") or {}
    if isinstance(status.get("url"), str):
        return str(status["url"])
    addresses = status.get("addresses") or []
    return str(addresses[0].get("value", "")) if addresses else ""


def _drift(
    api: Api,
    resources: Resources,
    owner: Owner,
    wanted: Sequence[Mapping[str, Any]],
    present: pruning.Owned,
) -> dict[str, list[dict[str, Any]]]:
    prepared = prepare(wanted, resources, owner, check=True)
    options = applying.Options(check=True, diff=True)
    outcomes = applying.apply(api, prepared, owner, options)
    surplus = present.items.keys() - {one.key for one in prepared}
    return {
        "missing": [_name(one) for one in outcomes if one.status == "created"],
        "changed": [
            {**_name(one), "before": _yaml(one.before), "after": _yaml(one.after)}
            for one in outcomes
            if one.status == "changed"
        ],
        "taken": [
            {
                **_name(one),
                "conflicts": [{"field": c.field, "manager": c.manager} for c in one.conflicts],
            }
            for one in outcomes
            if one.conflicts
        ],
        "refused": [
            {**_name(one), "message": one.message}
            for one in outcomes
            if one.status == "failed" and not one.conflicts
        ],
        "unexpected": [
            {"kind": key.kind, "namespace": key.namespace, "name": key.name}
            for key in sorted(surplus)
        ],
    }


def _name(one: Outcome) -> dict[str, Any]:
    return {"kind": one.key.kind, "namespace": one.key.namespace, "name": one.key.name}


def _yaml(value: Mapping[str, Any] | None) -> str:
    return yaml.safe_dump(dict(value)) if value else ""
