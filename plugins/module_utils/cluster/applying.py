# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Server-side apply of many objects, wave by wave, and what became of each.

One request an object, and one a kind to see what was there. A wave that has failures is the last one that changes
anything: the later ones are only tried on the server, so that every mistake is named at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from ..errors import ClusterError, RefusedError
from . import fields, handover, listing, waiting
from .api import CONCURRENCY, Api
from .discovery import Resource
from .objects import CRD, HIDDEN, PART, Key, Owner, Wanted, masked, secret_values
from .waves import DEFINITIONS, wave

_CONFLICT = "FieldManagerConflict"
_CONFLICT_WITH = re.compile(r'conflict with "(?P<manager>[^"]+)"')
# The server compiles a schema while the request waits, and gives up on it after 34 s.
_DEFINITIONS_AT_ONCE = 4
# From "Established" to answering takes the server a moment.
_DEFINITION_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Conflict:
    """A field that another manager set to another value.

    Attributes:
        field: Its path, as the API server writes it.
        manager: Who set it.
    """

    field: str
    manager: str


@dataclass(frozen=True)
class Outcome:
    """What became of one object.

    Attributes:
        key: The object.
        api_version: Version of its kind that was spoken.
        status: created, changed, unchanged, deleted, terminating, kept, skipped or failed.
        message: Why, for the last three; in check mode also why it could not be tried.
        conflicts: Fields for which others stand in the way.
        held: Not all of it was applied: the rest is not safe yet.
        before: What we had applied before, secrets masked; None where there was nothing.
        after: What we have applied now, secrets masked; None where there is nothing.
    """

    key: Key
    api_version: str
    status: str
    message: str = ""
    conflicts: tuple[Conflict, ...] = ()
    held: bool = False
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass(frozen=True)
class Options:
    """How to apply.

    Attributes:
        check: Change nothing; let the server say what would come of it.
        diff: Look at each object before, even where that takes a request more.
        takeovers: Fields that may be taken over from other managers, by object.
        hold: Hold back what is not safe before everything is ready.
        definition_timeout: Seconds until a CustomResourceDefinition must be in force.
    """

    check: bool = False
    diff: bool = False
    takeovers: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    hold: bool = False
    definition_timeout: float = 300.0


def apply(api: Api, wanted: Sequence[Wanted], owner: Owner, options: Options) -> list[Outcome]:
    """Apply objects.

    Args:
        api: The cluster.
        wanted: The objects.
        owner: Whose they are.
        options: How.

    Returns:
        One outcome an object, in the order in which they were applied.

    Raises:
        ClusterError: What is there cannot be read.
    """
    return _Run(api, wanted, owner, options).outcomes()


class _Run:
    def __init__(self, api: Api, wanted: Sequence[Wanted], owner: Owner, options: Options) -> None:
        self._api = api
        self._owner = owner
        self._options = options
        self._wanted = sorted(wanted, key=lambda one: wave(one.key))
        self._secrets = [v for v in secret_values([one.body for one in wanted]) if len(v) > 3]
        # Kinds that the server learns in this run.
        self._defined = {
            (one.body["spec"]["group"], one.body["spec"]["names"]["kind"])
            for one in wanted
            if (one.key.group, one.key.kind) == CRD
        }

    def outcomes(self) -> list[Outcome]:
        done: list[Outcome] = []
        failed = False
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            before = self._before(pool)
            for number, group in groupby(self._wanted, key=lambda one: wave(one.key)):
                members = list(group)
                dry = failed or self._options.check
                work = self._task(before, dry=dry, skipping=failed)
                if number == DEFINITIONS:
                    with ThreadPoolExecutor(_DEFINITIONS_AT_ONCE) as few:
                        results = list(few.map(work, members))
                else:
                    results = list(pool.map(work, members))
                if number == DEFINITIONS and not dry:
                    results = self._established(members, results)
                failed = failed or any(one.status == "failed" for one in results)
                done += results
        return done

    def _before(self, pool: ThreadPoolExecutor) -> dict[Key, dict[str, Any]]:
        """What the owner has of these kinds now."""
        keys: dict[Resource, list[Key]] = {}
        for one in self._wanted:
            if one.resource.plural:
                keys.setdefault(one.resource, []).append(one.key)

        def read(resource: Resource) -> dict[Key, dict[str, Any]]:
            return listing.read(self._api, resource, keys[resource], self._owner.platform_selector)

        return {key: live for found in pool.map(read, keys) for key, live in found.items()}

    def _task(
        self, known: Mapping[Key, dict[str, Any]], *, dry: bool, skipping: bool
    ) -> Callable[[Wanted], Outcome]:
        def apply_one(one: Wanted) -> Outcome:
            try:
                before = known.get(one.key)
                if not one.resource.plural:
                    return self._untried(one, f"the cluster does not serve {one.key.group}")
                if before is None and (dry or self._options.diff):
                    before = self._read(one)
                outcome = self._apply(_same_part(one, before), before, dry=dry)
            except ClusterError as error:
                if dry and isinstance(error, RefusedError) and self._is_too_early(one, error):
                    outcome = self._untried(one, str(error))
                else:
                    outcome = self._failure(one, error)
            if skipping and outcome.status != "failed":
                return Outcome(
                    one.key, one.resource.api_version, "skipped", "objects before it were refused"
                )
            return outcome

        return apply_one

    def _untried(self, one: Wanted, reason: str) -> Outcome:
        """What check mode says of an object for which the server lacks something yet."""
        message = f"not tried: {reason}"
        return Outcome(
            one.key, one.resource.api_version, "created", message, after=masked(one.body)
        )

    def _read(self, one: Wanted) -> dict[str, Any] | None:
        try:
            return self._api.get(one.path)
        except RefusedError as error:
            if error.code == 404:
                return None
            raise

    def _apply(self, one: Wanted, before: dict[str, Any] | None, *, dry: bool) -> Outcome:
        manager, version = self._owner.manager, one.resource.api_version
        was = None if before is None else fields.applied(before, manager)
        if self._options.hold:
            safe = handover.until_ready(one.key, one.body, was)
            if safe is None:
                status = "skipped" if was is None else "unchanged"
                return Outcome(one.key, version, status, "waits until all is ready", held=True)
            if safe != one.body:
                return replace(self._sent(replace(one, body=safe), was, dry=dry), held=True)
        return self._sent(one, was, dry=dry)

    def _sent(self, one: Wanted, was: dict[str, Any] | None, *, dry: bool) -> Outcome:
        manager, version = self._owner.manager, one.resource.api_version
        # Just these fields with just these values: to apply them again would do nothing.
        if was == one.body:
            return Outcome(one.key, version, "unchanged")
        created, after = self._patch(one, dry=dry)
        now = fields.applied(after, manager) or one.body
        if created:
            return Outcome(one.key, version, "created", after=masked(now))
        # The server wrote nothing, or only what others set.
        if was == now:
            return Outcome(one.key, version, "unchanged")
        shown = masked(was) if was else {}
        return Outcome(one.key, version, "changed", before=shown, after=masked(now, was or {}))

    def _patch(self, one: Wanted, *, dry: bool) -> tuple[bool, dict[str, Any]]:
        deadline = time.monotonic() + self._api.patience
        force = False
        while True:
            try:
                return self._api.apply(
                    one.path, one.body, self._owner.manager, dry_run=dry, force=force
                )
            except RefusedError as error:
                if not force and self._may_take_over(one.key, error):
                    force = True
                elif self._is_unfinished(one, error, dry=dry) and time.monotonic() < deadline:
                    time.sleep(_DEFINITION_PAUSE_SECONDS)
                else:
                    raise

    def _may_take_over(self, key: Key, error: RefusedError) -> bool:
        conflicts = conflicts_of(error)
        allowed = self._options.takeovers.get(key, frozenset())
        return bool(conflicts) and all(conflict.field in allowed for conflict in conflicts)

    def _is_unfinished(self, one: Wanted, error: RefusedError, *, dry: bool) -> bool:
        """A kind that was defined a moment ago is not served everywhere at once."""
        defined = (one.key.group, one.key.kind) in self._defined
        return defined and not dry and error.code == 404

    def _is_too_early(self, one: Wanted, error: RefusedError) -> bool:
        """Nothing can be tried in a namespace, or of a kind, that is only made by then."""
        defined = (one.key.group, one.key.kind) in self._defined
        homeless = bool(one.key.namespace) and "namespaces" in error.message
        return error.code == 404 and (defined or homeless)

    def _established(self, members: Sequence[Wanted], results: list[Outcome]) -> list[Outcome]:
        good = {one.key for one in results if one.status != "failed"}
        try:
            late = waiting.until_ready(
                self._api,
                [one for one in members if one.key in good],
                self._owner.selector,
                waiting.Patience(self._options.definition_timeout),
            )
            reasons = {one.key: one.reason for one in late}
        except ClusterError as error:
            reasons = dict.fromkeys(good, str(error))
        return [
            Outcome(one.key, one.api_version, "failed", reasons[one.key])
            if one.key in reasons
            else one
            for one in results
        ]

    def _failure(self, one: Wanted, error: ClusterError) -> Outcome:
        conflicts = conflicts_of(error) if isinstance(error, RefusedError) else ()
        message = "; ".join(
            f"{each.field} belongs to {each.manager}" for each in conflicts
        ) or self._without_secrets(str(error))
        return Outcome(one.key, one.resource.api_version, "failed", message, conflicts)

    def _without_secrets(self, text: str) -> str:
        """The server quotes values that it does not like."""
        for value in self._secrets:
            text = text.replace(value, HIDDEN)
        return text


def _same_part(one: Wanted, before: Mapping[str, Any] | None) -> Wanted:
    """Leave an object with the part that it was applied with, where this run names none."""
    labels = one.body["metadata"]["labels"]
    part = ((before or {}).get("metadata", {}).get("labels") or {}).get(PART)
    if not part or PART in labels:
        return one
    metadata = {**one.body["metadata"], "labels": {**labels, PART: part}}
    return replace(one, body={**one.body, "metadata": metadata})


def conflicts_of(error: RefusedError) -> tuple[Conflict, ...]:
    """Fields, and who has them, out of a refusal to apply."""
    return tuple(
        Conflict(cause.get("field", ""), match["manager"])
        for cause in error.causes
        if cause.get("reason") == _CONFLICT
        and (match := _CONFLICT_WITH.match(cause.get("message", "")))
    )
