# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what a cluster says of a node's pods is of now.

A node that was stopped says nothing more: until its kubelet has looked at each pod again, the pod counts as ready, and with
it everything that is derived from its pods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .api import Api

_PAUSE_SECONDS = 0.5


def outdated(pods: Iterable[Mapping[str, Any]], node: str, running: set[str]) -> list[str]:
    """Find pods of which the cluster says that containers run, and that have ended.

    Args:
        pods: Pods as the API server has them.
        node: Name of a node; pods of others do not count.
        running: Ids of the containers that run on it.

    Returns:
        Their names with their namespaces, sorted.
    """
    return sorted(
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in pods
        if pod["spec"].get("nodeName") == node and not set(_claimed(pod)) <= running
    )


def until_current(
    api: Api,
    node: str,
    running: Callable[[], set[str]],
    timeout: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Wait until the cluster says of a node's pods what is so.

    Args:
        api: The cluster.
        node: Name of the node.
        running: Asks the node's container runtime for the ids of the containers that run.
        timeout: Seconds to wait at most.
        now: Clock.
        sleep: Pauses for some seconds.

    Returns:
        Pods of which it still says that containers run, and that have ended; none when all is well.

    Raises:
        ClusterError: The API server does not answer.
    """
    deadline = now() + timeout
    while True:
        # First what is said, then what is so: a container that starts in between does not seem to have ended.
        pods = list(api.list_all("/api/v1/pods", ""))
        found = outdated(pods, node, running())
        if not found or now() >= deadline:
            return found
        sleep(_PAUSE_SECONDS)


def _claimed(pod: Mapping[str, Any]) -> Iterator[str]:
    """Ids of the containers that a pod's status says run; it has them as ``containerd://ID``."""
    status = pod.get("status") or {}
    for part in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(part) or []:
            if (container.get("state") or {}).get("running") is not None:
                yield str(container.get("containerID", "")).rpartition("/")[2]
