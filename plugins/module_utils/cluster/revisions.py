# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether Knative serves a model as its InferenceService asks, as Knative's Services tell.

What KServe says of such a model speaks of the revision before for a while, and so do the revisions that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import digest
from .readiness import READY, assess

_GROUP, _KIND = "serving.knative.dev", "Service"
_ALL = 100

Live = Mapping[str, Any]


def path(namespace: str) -> str:
    """Where the Services of a namespace are at the API server."""
    return f"/apis/{_GROUP}/v1/namespaces/{namespace}/services"


def unready(model: Live, services: Sequence[Live]) -> str:
    """Say why Knative does not serve a model as it is asked.

    Args:
        model: The InferenceService. In mode knative, it has a predictor alone.
        services: Knative's Services that KServe made of it.

    Returns:
        One line; empty where all is well. Older revisions may be there, ready or not: they get what the Services say.
    """
    predictor = (model.get("spec") or {}).get("predictor") or {}
    return next(filter(None, (_unready(predictor, one) for one in services)), "")


def _unready(predictor: Live, service: Live) -> str:
    spec = service.get("spec") or {}
    made = (spec.get("template") or {}).get("metadata") or {}
    # What carries none was made by a platform that wrote none.
    if (asked := digest(predictor)) and asked != digest(made):
        return "KServe has not changed Knative's Service to this version yet"
    if predictor.get("canaryTrafficPercent", _ALL) != _newest_share(spec):
        return "KServe has not changed the share of the newest revision yet"
    return (assess(service, _GROUP, _KIND) or READY).reason


def _newest_share(spec: Live) -> int:
    """Percent of the requests that the revision made last is to get."""
    traffic = spec.get("traffic") or []
    return sum(one.get("percent", 0) for one in traffic if one.get("latestRevision"))
