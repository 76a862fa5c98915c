# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a gateway sends requests to replicas: by its own health checks, which find what starts and ends in their own time."""

from __future__ import annotations

import http.client
import json
import time
import typing as t

from .unix_http import UnixConnection

_PAUSE_SECONDS = 0.05
_ANSWER_SECONDS = 5.0
# Of a healthy host Envoy says nothing else: each other reason is a key of its own.
# https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/clusters.proto
_HEALTHY = {"eds_health_status": "HEALTHY"}


def until_healthy(
    admin_socket: str, replicas: t.Mapping[str, t.Collection[str]], timeout: float
) -> dict[str, str]:
    """Wait until an Envoy finds replicas healthy in each of its clusters that names them.

    Args:
        admin_socket: Unix socket of its administration interface.
        replicas: By model, the Unix sockets of its replicas.
        timeout: Seconds to wait at most; 0 to look once.

    Returns:
        By model, what keeps requests from it; empty when nothing does.
    """
    deadline = time.monotonic() + timeout
    while True:
        late = _late(admin_socket, replicas)
        if not late or time.monotonic() >= deadline:
            return late
        time.sleep(_PAUSE_SECONDS)


def _late(admin_socket: str, replicas: t.Mapping[str, t.Collection[str]]) -> dict[str, str]:
    try:
        found = _hosts(admin_socket)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return dict.fromkeys(replicas, f"tier 2 does not answer on {admin_socket}: {error}")
    late = {}
    for model, sockets in replicas.items():
        reasons = {_reason(found.get(socket, [])) for socket in sockets} - {""}
        if reasons:
            late[model] = ", ".join(sorted(reasons))
    return late


def _reason(states: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    if not states:
        return "tier 2 does not know its replica"
    said = sorted({key for state in states for key in state if key not in _HEALTHY})
    if said:
        return f"tier 2 says of its replica: {', '.join(said)}"
    return "" if all(state == _HEALTHY for state in states) else "tier 2 calls its replica sick"


def _hosts(admin_socket: str) -> dict[str, list[t.Mapping[str, t.Any]]]:
    """What an Envoy says of the health of each Unix socket, once for each cluster that names it."""
    connection = UnixConnection(admin_socket, _ANSWER_SECONDS)
    try:
        connection.request("GET", "/clusters?format=json")
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    found: dict[str, list[t.Mapping[str, t.Any]]] = {}
    for cluster in answer["cluster_statuses"]:
        for host in cluster.get("host_statuses", ()):
            pipe = host["address"].get("pipe")
            if pipe:
                found.setdefault(pipe["path"], []).append(host["health_status"])
    return found
