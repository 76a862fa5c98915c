# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pods that were replaced and still answer: for how long, where others wait for their room."""

from __future__ import annotations

from ..errors import ClusterError
from .api import Api

# Label of pods that hold their room only until somebody else waits for it.
YIELDS = "inferencebox.io/yields"


def end_oldest(api: Api, selector: str) -> str:
    """End the pod that has been ending for the longest, of those that yield.

    Args:
        api: The cluster.
        selector: Labels of the pods beside that one.

    Returns:
        Its name; empty where there is none, or where it cannot be ended.
    """
    try:
        pods = list(api.list_all("/api/v1/pods", f"{selector},{YIELDS}", patient=False))
        ending = [one["metadata"] for one in pods if one["metadata"].get("deletionTimestamp")]
        if not ending:
            return ""
        # With one grace for all, who is to be gone first has been ending for the longest.
        oldest = min(ending, key=lambda one: str(one["deletionTimestamp"]))
        path = f"/api/v1/namespaces/{oldest['namespace']}/pods/{oldest['name']}"
        api.delete(path, oldest["uid"], dry_run=False, grace_seconds=1)
    except ClusterError:
        # It is gone, or not ours to end.
        return ""
    return str(oldest["name"])
