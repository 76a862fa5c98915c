# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How requests pass from one version of a model to another: make before break.

A route and what it leads to are changed one after the other. While the one has changed and the other has not, a route must
not lead to what is not ready, and what a route leads to must be there. So a first round applies what is safe at once,
and holds the rest back as it is; a second one, when everything is ready, applies it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .objects import Key

Body = dict[str, Any]

# The version that a model serves to those who get no other; on its InferenceService and on its route.
_VERSION = "inferencebox.io/version"
# Of the requests, in mode knative, that which the revision made last gets, in percent.
_SHARE = "canaryTrafficPercent"
_ROUTE_CHANGE = ("networking.istio.io", "EnvoyFilter")


def leaves_first(key: Key) -> bool:
    """Whether an object that is not wanted goes before anything is applied: what changes a route does not outlive its legs.

    Without their clusters, Envoy refuses the route, and with it all that tier 2 is to learn.
    """
    return (key.group, key.kind) == _ROUTE_CHANGE


def until_ready(key: Key, wanted: Body, applied: Mapping[str, Any] | None) -> Body | None:
    """Say what of an object is safe to apply before everything that it has to do with is ready.

    Args:
        key: The object.
        wanted: What it is to be in the end.
        applied: What of it was applied before; None where it is new.

    Returns:
        What it is to be until then; None where it stays as it is, or away.
    """
    if (key.group, key.kind) == _ROUTE_CHANGE:
        # The route that it changes may be held back.
        return wanted if wanted == applied else None
    if applied is None:
        return wanted
    if (key.group, key.kind) == ("networking.istio.io", "VirtualService"):
        return wanted if _may_go_first(wanted, applied) else None
    if (key.group, key.kind) == ("serving.kserve.io", "InferenceService"):
        return _with_shares(wanted, applied) or _with_canary(wanted, applied)
    return wanted


def _may_go_first(wanted: Body, applied: Mapping[str, Any]) -> bool:
    """Whether a route can change before its versions do.

    So it is when the stable version stays the same, and no other gets more requests than before: it may have no replica yet, or too few.
    """
    if _version(wanted) != _version(applied):
        return False
    now, then = _shares(applied), _shares(wanted)
    stable = next(iter(then), "")
    return stable in now and all(
        share <= now.get(host, 0) for host, share in then.items() if host != stable
    )


def _with_shares(wanted: Body, applied: Mapping[str, Any]) -> Body | None:
    """In mode knative, a version that takes the place of a canary gets no request before it is ready; None where none does.

    Of a share for the revision made last, the one before it gets all until then: here, the canary that leaves. So the
    share is none, also in a run after one that was broken off.
    """
    share = _percent(applied)
    if share is None or (share and _version(wanted) == _version(applied)):
        return None
    spec = wanted["spec"]
    predictor = {**spec["predictor"], _SHARE: 0}
    return {**wanted, "spec": {**spec, "predictor": predictor}}


def _percent(one: Mapping[str, Any]) -> int | None:
    percent = ((one.get("spec") or {}).get("predictor") or {}).get(_SHARE)
    return None if percent is None else int(percent)


def _with_canary(wanted: Body, applied: Mapping[str, Any]) -> Body:
    """A canary whose version is about to become the stable one answers until that is done.

    Where the stable version stays, a canary that leaves has no requests any more: its route changed first.
    """
    canary = (applied.get("spec") or {}).get("canary")
    if canary is None or _version(wanted) == _version(applied):
        return wanted
    # With the old version's name, so that a run after one that was broken off knows it again.
    labels = {**wanted["metadata"]["labels"], _VERSION: _version(applied)}
    return {
        **wanted,
        "metadata": {**wanted["metadata"], "labels": labels},
        "spec": {**wanted["spec"], "canary": canary},
    }


def _shares(route: Mapping[str, Any]) -> dict[str, int]:
    """Percent of the requests by host, the stable version's first; a mirror gets all."""
    shares: dict[str, int] = {}
    for http in (route.get("spec") or {}).get("http") or []:
        for leg in [*(http.get("route") or []), *(http.get("mirrors") or [])]:
            shares[str((leg.get("destination") or {}).get("host"))] = int(leg.get("weight", 100))
    return shares


def _version(one: Mapping[str, Any]) -> str:
    return str((one["metadata"].get("labels") or {}).get(_VERSION))
