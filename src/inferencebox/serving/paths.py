# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which paths a predictive replica answers: its own protocols and its own version only."""

from __future__ import annotations

from .auth import App, Receive, Scope, Send, send_error
from .spec import ReplicaSpec

# Bodies that people send without naming their type: curl's default, or none.
_UNNAMED_TYPES = (b"", b"application/x-www-form-urlencoded")


class ReplicaPaths:
    """ASGI middleware between callers and the SDK's routes.

    - A protocol that the model does not publish is not found, and neither is the SDK's repository extension, which
      would let a caller unload the model.
    - The SDK answers version paths with 501. A replica serves one version: its path is the one without, any other
      version is not found.
    - A JSON body counts as JSON when its type is not named.
    """

    def __init__(self, app: App, spec: ReplicaSpec) -> None:
        """Wrap the application that serves this replica."""
        self._app = app
        self._version_prefix = f"/v2/models/{spec.name}/versions/"
        self._model = f"/v2/models/{spec.name}"
        self._ready = f"{self._model}/ready"
        self._spec = spec

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI defines it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith(self._version_prefix):
            version, _, rest = path.removeprefix(self._version_prefix).partition("/")
            if version != self._spec.version:
                await send_error(send, 404, f"model {self._spec.name} has no version {version!r}")
                return
            path = f"{self._model}/{rest}" if rest else self._model
        if not self._published(path):
            await send_error(send, 404, f"{scope['path']} is not served here")
            return
        scope = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "headers": _typed(scope["headers"]),
        }
        await self._app(scope, receive, send)

    def _published(self, path: str) -> bool:
        if path.startswith("/v1/"):
            return "v1" in self._spec.apis
        if path.startswith("/v2/repository"):
            return False
        if path.startswith("/v2"):
            return path == self._ready or "v2" in self._spec.apis
        return path == "/metrics"


def _typed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    if kind.partition(b";")[0].strip().lower() not in _UNNAMED_TYPES:
        return headers
    return [item for item in headers if item[0] != b"content-type"] + [
        (b"content-type", b"application/json")
    ]
