# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Requests of a predictive replica, counted with the labels by which the platform is read."""

from __future__ import annotations

import time

from prometheus_client import Counter, Histogram

from .auth import App, Message, Receive, Scope, Send
from .spec import ReplicaSpec

_LABELS = ("tenant", "model", "version", "protocol")

# From a tenth of a millisecond, a small tree, to the longest request timeout that is usual.
_BUCKETS = (
    0.0001,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
)

REQUESTS = Counter("inferencebox_requests", "Inference requests answered.", (*_LABELS, "code"))
DURATION = Histogram(
    "inferencebox_request_duration_seconds", "Time to answer.", _LABELS, buckets=_BUCKETS
)


class RequestMetrics:
    """ASGI middleware that counts inference requests; health, metadata and metrics are not counted."""

    def __init__(self, app: App, spec: ReplicaSpec) -> None:
        """Wrap the application that serves this replica."""
        self._app = app
        self._labels = (spec.tenant, spec.name, spec.version)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI defines it."""
        protocol = _protocol(scope)
        if protocol is None:
            await self._app(scope, receive, send)
            return
        code = 500

        async def watch(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, watch)
        finally:
            DURATION.labels(*self._labels, protocol).observe(time.perf_counter() - started)
            REQUESTS.labels(*self._labels, protocol, str(code)).inc()


def _protocol(scope: Scope) -> str | None:
    if scope["type"] != "http":
        return None
    path: str = scope["path"]
    if path.startswith("/v1/") and path.endswith((":predict", ":explain")):
        return "v1"
    return "v2" if path.startswith("/v2/") and path.endswith("/infer") else None
