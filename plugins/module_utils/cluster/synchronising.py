# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run over a cluster: apply, wait, prune, and a report that a person can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from .. import progress
from ..errors import ClusterError
from . import applying, handover, pruning, reloading, waiting
from .api import Api, connect
from .applying import Outcome
from .discovery import Resources
from .objects import PLATFORM, Key, Owner, Wanted, masked, prepare, secret_values

_CHANGES = frozenset({"created", "changed", "deleted"})
# A module's result hides these wherever they occur; shorter ones may be names that it is about.
_SHORTEST_HIDDEN = 16


@dataclass(frozen=True)
class Request:
    """What is wanted of a cluster.

    Attributes:
        objects: Objects to apply.
        platform: Whose they are.
        part: Which part of the platform they are; empty for all of it.
        prune: Remove what the platform, or the part, has besides; not together with `hold`.
        prune_definitions: Remove CustomResourceDefinitions, too.
        take_ownership: Rows with kind, name, namespace and the fields that may be taken from others.
        hold: Hold back what would lead requests to what is not ready, or take away what still gets some.
        wait_timeout: Seconds to wait for readiness; 0 not to wait.
        fixed_nodes: Nobody adds nodes to the cluster, so that the wait for their room may end before.
        kubeconfig: Path; None for the usual places.
        context: Context of it; None for its current one.
        check: Change nothing.
        diff: Tell what was there before, wherever it came from.
    """

    objects: Sequence[Mapping[str, Any]]
    platform: str
    part: str = ""
    prune: bool = False
    prune_definitions: bool = False
    take_ownership: Sequence[Mapping[str, Any]] = ()
    hold: bool = False
    wait_timeout: float = 0.0
    fixed_nodes: bool = False
    kubeconfig: str | None = None
    context: str | None = None
    check: bool = False
    diff: bool = False


@dataclass(frozen=True)
class Report:
    """What a run did.

    Attributes:
        outcomes: One for each object.
        problem: What went wrong, all of it; empty when nothing did.
        warnings: What a person should know besides.
        held_back: The same objects have to be applied once more, without holding anything back.
    """

    outcomes: tuple[Outcome, ...]
    problem: str = ""
    warnings: tuple[str, ...] = ()
    held_back: bool = False

    def result(self) -> dict[str, Any]:
        """The report as a module returns it."""
        return {
            "changed": any(one.status in _CHANGES for one in self.outcomes),
            "objects": [_row(one) for one in self.outcomes],
            "held_back": self.held_back,
            "counts": dict(Counter(one.status for one in self.outcomes)),
            "diff": [_difference(one) for one in self.outcomes if one.status in _CHANGES],
        }


def synchronise(request: Request) -> Report:
    """Make a cluster hold the objects.

    Args:
        request: What is wanted.

    Returns:
        What was done, also when it was not all.

    Raises:
        ClusterError: Nothing was done: the objects are no objects, or the cluster cannot be used.
    """
    owner = Owner(request.platform, request.part)
    takeovers = _takeovers(request)
    with connect(request.kubeconfig, request.context) as api:
        resources = Resources.of(api)
        wanted = prepare(request.objects, resources, owner, check=request.check)
        options = applying.Options(request.check, request.diff, takeovers, request.hold)
        left, first = _leaving(api, resources, wanted, owner, request)
        if any(one.status == "failed" for one in first):
            return Report(tuple(first), _listed("could not be removed", first), api.warnings)
        outcomes = [*first, *applying.apply(api, wanted, owner, options)]
        if any(one.status == "failed" for one in outcomes):
            report = Report(tuple(outcomes), _refusals(outcomes))
        else:
            try:
                report = _completed(api, resources, wanted, owner, request, outcomes)
                held = any(one.held for one in outcomes)
                report = replace(report, held_back=held or bool(left))
            except ClusterError as error:
                # Something was applied, and who reads the report must know.
                report = Report(tuple(outcomes), str(error))
        return replace(report, warnings=(*api.warnings, *report.warnings))


def _leaving(
    api: Api, resources: Resources, wanted: Sequence[Wanted], owner: Owner, request: Request
) -> tuple[set[Key], list[Outcome]]:
    """Where changes are held back: what is there, not wanted and stays until the next run; and what went before all else."""
    if not request.hold:
        return set(), []
    items = pruning.owned(api, resources, owner).items
    surplus = items.keys() - {one.key for one in wanted}
    first = {key: items[key] for key in surplus if handover.leaves_first(key)}
    options = pruning.Options(request.check, timeout=request.wait_timeout)
    removed = pruning.prune(api, pruning.Owned(first), (), owner, options)
    return surplus - first.keys(), removed


def _completed(
    api: Api,
    resources: Resources,
    wanted: Sequence[Wanted],
    owner: Owner,
    request: Request,
    outcomes: list[Outcome],
) -> Report:
    """What follows when everything is applied."""
    if request.wait_timeout and not request.check:
        # Envoy Gateway's pods have the platform's name, too, and not who manages them.
        theirs = f"{PLATFORM}={owner.platform}"
        patience = waiting.Patience(
            request.wait_timeout, request.fixed_nodes, progress.tell, theirs
        )
        late = waiting.until_ready(api, wanted, owner.selector, patience)
        if late:
            return Report(tuple(_with_late(outcomes, late)), _lateness(late, request.wait_timeout))
        if unread := reloading.until_read(api, wanted, request.wait_timeout):
            return Report(tuple(outcomes), "\n".join(unread))
    if not request.prune:
        return Report(tuple(outcomes))
    return _pruned(api, resources, wanted, owner, request, outcomes)


def _pruned(
    api: Api,
    resources: Resources,
    wanted: Sequence[Wanted],
    owner: Owner,
    request: Request,
    outcomes: list[Outcome],
) -> Report:
    present = pruning.owned(api, resources, owner)
    options = pruning.Options(request.check, request.prune_definitions, request.wait_timeout)
    removed = pruning.prune(api, present, {one.key for one in wanted}, owner, options)
    failed = [one for one in removed if one.status == "failed"]
    problem = "" if not failed else _listed("could not be removed", failed)
    warnings = tuple(f"not searched for objects to prune: {text}" for text in present.unreadable)
    return Report((*outcomes, *removed), problem, warnings)


def without_secrets(params: Mapping[str, Any]) -> dict[str, Any]:
    """A module's arguments as its result may show them."""
    objects = params["objects"]
    shown = None if objects is None else [masked(one) for one in objects]
    return {"module_args": {**params, "objects": shown}}


def values_to_hide(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    """Values of Secrets that must not appear in a result, wherever they came from."""
    return {v for v in secret_values(list(objects)) if len(v) >= _SHORTEST_HIDDEN}


def _takeovers(request: Request) -> dict[Key, frozenset[str]]:
    """The rows by key; a row that is of no object here is a mistake."""
    takeovers: dict[Key, frozenset[str]] = {}
    for row in request.take_ownership:
        place = (row["kind"], row.get("namespace") or "", row["name"])
        matching = [one for one in request.objects if _place(one) == place]
        if not matching:
            raise ClusterError(
                f"take_ownership: {row['kind']} {row['name']} is not among the objects"
            )
        group = str(matching[0].get("apiVersion", "")).rpartition("/")[0]
        takeovers[Key(group, *place)] = frozenset(row["fields"])
    return takeovers


def _place(one: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    metadata = one.get("metadata")
    if not isinstance(metadata, Mapping):
        return None, None, None
    return one.get("kind"), metadata.get("namespace") or "", metadata.get("name")


def _refusals(outcomes: Sequence[Outcome]) -> str:
    failed = [one for one in outcomes if one.status == "failed"]
    text = _listed("were refused", failed, of=len(outcomes))
    if any(one.conflicts for one in failed):
        text += "\nTo take fields over from who has them, name them in take_ownership."
    return text


def _lateness(late: Sequence[waiting.Late], timeout: float) -> str:
    lines = [f"- {one.key}: {one.reason}" for one in late]
    failed = [one for one in late if one.failed]
    if failed:
        head = f"{len(failed)} of the objects cannot become ready, {len(late)} are not ready:"
    else:
        head = f"{len(late)} of the objects are not ready after {timeout:.0f} s:"
    return "\n".join([head, *lines])


def _with_late(outcomes: Sequence[Outcome], late: Sequence[waiting.Late]) -> list[Outcome]:
    """Objects that are not ready; what was changed in them stays in the diff of the objects that are."""
    reasons = {one.key: one.reason for one in late}
    return [
        replace(one, message=reasons[one.key]) if one.key in reasons else one for one in outcomes
    ]


def _listed(what: str, outcomes: Sequence[Outcome], of: int | None = None) -> str:
    count = f"{len(outcomes)} of {of} objects" if of else f"{len(outcomes)} objects"
    return "\n".join([f"{count} {what}:", *(f"- {one.key}: {one.message}" for one in outcomes)])


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "api_version": one.api_version,
        "kind": one.key.kind,
        "namespace": one.key.namespace,
        "name": one.key.name,
        "status": one.status,
        "message": one.message,
        "conflicts": [{"field": each.field, "manager": each.manager} for each in one.conflicts],
    }


def _difference(one: Outcome) -> dict[str, str]:
    return {
        "before_header": str(one.key),
        "after_header": str(one.key),
        "before": yaml.safe_dump(one.before) if one.before else "",
        "after": yaml.safe_dump(one.after) if one.after else "",
    }
