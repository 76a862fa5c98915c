# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for many objects at once: one request a kind and round, and the cause when it takes too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import causes, listing
from .api import Api
from .discovery import Resource
from .objects import Key, Wanted
from .readiness import READY, State, Verdict, assess, is_awaited

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
# A failure that a controller takes back within this time was one of order, not of content.
_SETTLE_SECONDS = 10.0


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


def until_ready(
    api: Api,
    wanted: Sequence[Wanted],
    selector: str,
    timeout: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Late]:
    """Wait until all objects are ready, one fails, or time is up.

    Args:
        api: The cluster.
        wanted: Objects that were applied; those of kinds that are in force at once do not count.
        selector: Labels that all of them carry.
        timeout: Seconds to wait at most.
        now: Clock.
        sleep: Pauses for some seconds.

    Returns:
        The objects that are not ready, with their reasons; none when all are.
    """
    pending = {one.key: one for one in wanted if is_awaited(one.key.group, one.key.kind)}
    failed_since: dict[Key, float] = {}
    deadline = now() + timeout
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
    cause = causes.of_workload(api, key, live)
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
