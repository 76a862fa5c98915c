# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for many objects at once: one request a kind and round, and the cause when it takes too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import causes, draining, listing
from .api import Api
from .discovery import Resource
from .objects import Key, Wanted
from .readiness import READY, State, Verdict, assess, is_awaited

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
# A failure that a controller takes back within this time was one of order, not of content.
_SETTLE_SECONDS = 10.0
# How often it is asked why objects are late: a request for each.
_LOOK_SECONDS = 5.0
# What keeps a pod so long is worth a word: until then, most of it goes by itself. The scheduler tries again within
# 10 s after something was given back. k8s.io/kubernetes, pkg/scheduler/backend/queue (DefaultPodMaxBackoffDuration);
# kstatus waits as long (sigs.k8s.io/cli-utils, pkg/kstatus/status: ScheduleWindow).
_GRACE_SECONDS = 15.0
# A pod that was replaced and has nothing to do is gone by then, and its room is somebody's.
_YIELD_SECONDS = 45.0


@dataclass(frozen=True)
class Late:
    """One object that is not ready.

    Attributes:
        key: The object.
        reason: Why.
        failed: It says so itself, and waiting longer would not help.
    """

    key: Key
    reason: str
    failed: bool


@dataclass(frozen=True)
class Patience:
    """How to wait.

    Attributes:
        seconds: At most so long.
        fixed_nodes: Nobody adds nodes to the cluster: a pod that no node takes gets none later.
        tell: Hears why an object is late, as soon as that is no matter of moments; once for each reason.
        yielding: Labels of pods whose room others may have while they end; empty where no such is looked for.
    """

    seconds: float
    fixed_nodes: bool = False
    tell: Callable[[str], None] = lambda _: None
    yielding: str = ""


class _Causes:
    """Why objects are late, asked now and then while they are waited for."""

    def __init__(self, api: Api, patience: Patience, now: Callable[[], float]) -> None:
        self._api, self._patience, self._now = api, patience, now
        self._looked = self._had_room = now()
        self._since: dict[tuple[Key, str], float] = {}
        self._told: set[tuple[Key, str]] = set()
        self._stuck: frozenset[Key] = frozenset()
        self._stuck_since = 0.0

    def hopeless(self, late: Mapping[Key, Mapping[str, Any]]) -> bool:
        """Tell what is new, and judge whether nothing that goes on can help.

        So it is when all that is late waits for a node's room, and nothing gives any back.
        """
        now = self._now()
        if now - self._looked < _LOOK_SECONDS:
            return False
        self._looked = now
        found = {key: causes.of_workload(self._api, key, live) for key, live in late.items()}
        self._tell(found, now)
        self._make_room(found, now)
        stuck: frozenset[Key] = frozenset()
        if self._patience.fixed_nodes and all(cause.no_room for cause in found.values()):
            stuck = frozenset() if causes.room_may_come(self._api) else frozenset(found)
        if stuck != self._stuck:
            self._stuck, self._stuck_since = stuck, now
        return bool(stuck) and now - self._stuck_since >= _GRACE_SECONDS

    def _make_room(self, found: Mapping[Key, causes.Cause], now: float) -> None:
        """End what only still answers, one after the other, where what is wanted finds no room beside it."""
        if not self._patience.yielding or not any(cause.no_room for cause in found.values()):
            self._had_room = now
        elif now - self._had_room >= _YIELD_SECONDS:
            self._had_room = now
            if ended := draining.end_oldest(self._api, self._patience.yielding):
                self._patience.tell(
                    f"pod {ended} was replaced, and ends before its last answers do: others wait for its room"
                )

    def _tell(self, found: Mapping[Key, causes.Cause], now: float) -> None:
        present = {(key, cause.reason): cause.text for key, cause in found.items() if cause.reason}
        self._since = {one: self._since.get(one, now) for one in present}
        for one, since in self._since.items():
            if one not in self._told and now - since >= _GRACE_SECONDS:
                self._told.add(one)
                self._patience.tell(f"{one[0]}: {present[one]}")


def until_ready(
    api: Api,
    wanted: Sequence[Wanted],
    selector: str,
    patience: Patience,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Late]:
    """Wait until all objects are ready, one fails, nothing can help the rest, or time is up.

    Args:
        api: The cluster.
        wanted: Objects that were applied; those of kinds that are in force at once do not count.
        selector: Labels that all of them carry.
        patience: How long, and who hears what.
        now: Clock.
        sleep: Pauses for some seconds.

    Returns:
        The objects that are not ready, with their reasons; none when all are.
    """
    pending = {one.key: one for one in wanted if is_awaited(one.key.group, one.key.kind)}
    failed_since: dict[Key, float] = {}
    reasons = _Causes(api, patience, now)
    deadline = now() + patience.seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        verdicts = _look(api, pending, selector)
        pending = {
            key: one for key, one in pending.items() if verdicts[key][0].state is not State.READY
        }
        failing = [key for key in pending if verdicts[key][0].state is State.FAILED]
        failed_since = {key: failed_since.get(key, now()) for key in failing}
        settled = any(now() - since >= _SETTLE_SECONDS for since in failed_since.values())
        if not pending or settled or now() >= deadline:
            return [_late(api, key, *verdicts[key]) for key in sorted(pending)]
        if reasons.hopeless({key: verdicts[key][1] for key in pending}):
            failed = [(key, replace(verdicts[key][0], state=State.FAILED)) for key in pending]
            return [_late(api, key, verdict, verdicts[key][1]) for key, verdict in sorted(failed)]
        sleep(min(pause, max(deadline - now(), 0.01)))
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def until_gone(
    api: Api,
    gone: Mapping[Key, Resource],
    selector: str,
    timeout: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Late]:
    """Wait until objects that were deleted are gone.

    Args:
        api: The cluster.
        gone: The objects and their kinds.
        selector: Labels that all of them carry.
        timeout: Seconds to wait at most.
        now: Clock.
        sleep: Pauses for some seconds.

    Returns:
        Those that are still there, and what holds them.
    """
    deadline = now() + timeout
    pause = _FIRST_PAUSE_SECONDS
    pending = dict(gone)
    while True:
        present = _present(api, pending, selector)
        pending = {key: resource for key, resource in pending.items() if key in present}
        if not pending or now() >= deadline:
            return [Late(key, _holds(present[key]), failed=False) for key in sorted(pending)]
        sleep(min(pause, max(deadline - now(), 0.01)))
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _present(api: Api, kinds: Mapping[Key, Resource], selector: str) -> dict[Key, dict[str, Any]]:
    keys: dict[Resource, list[Key]] = {}
    for key, resource in kinds.items():
        keys.setdefault(resource, []).append(key)
    return {
        key: live
        for resource, wanted in keys.items()
        for key, live in listing.read(api, resource, wanted, selector).items()
    }


def _look(
    api: Api, pending: Mapping[Key, Wanted], selector: str
) -> dict[Key, tuple[Verdict, dict[str, Any]]]:
    present = _present(api, {key: one.resource for key, one in pending.items()}, selector)
    verdicts: dict[Key, tuple[Verdict, dict[str, Any]]] = {}
    for key in pending:
        live = present.get(key)
        if live is None:
            verdicts[key] = Verdict(State.FAILED, "it was deleted by somebody else"), {}
        else:
            verdicts[key] = _verdict(api, key, live), live
    return verdicts


def _verdict(api: Api, key: Key, live: Mapping[str, Any]) -> Verdict:
    verdict = assess(live, key.group, key.kind) or READY
    if verdict.state is not State.READY:
        return verdict
    unfinished = causes.of_unfinished(api, key, live)
    return Verdict(State.PROGRESSING, unfinished) if unfinished else READY


def _late(api: Api, key: Key, verdict: Verdict, live: Mapping[str, Any]) -> Late:
    cause = causes.of_workload(api, key, live).text
    reason = f"{verdict.reason}; {cause}" if cause else verdict.reason
    return Late(key, reason, verdict.state is State.FAILED)


def _holds(live: Mapping[str, Any]) -> str:
    """What keeps an object that is to be deleted."""
    # A namespace tells what is left in it, and whose finalizers.
    remaining = [
        condition.get("message", "")
        for condition in (live.get("status") or {}).get("conditions") or []
        if condition.get("status") == "True" and live.get("spec", {}).get("finalizers")
    ]
    if remaining:
        return "; ".join(remaining)
    finalizers = live["metadata"].get("finalizers") or []
    if finalizers:
        return f"held by {', '.join(finalizers)}: the controller that sets it must be running"
    return "the API server has not removed it yet"
