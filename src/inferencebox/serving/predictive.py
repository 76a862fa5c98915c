# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Predictive models on the KServe SDK, on a Unix socket or a pod's port."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import prometheus_client
from fastapi import FastAPI, Request
from fastapi.exceptions import FastAPIDeprecationWarning, RequestValidationError
from fastapi.responses import JSONResponse
from kserve import InferRequest, InferResponse, Model, ModelRepository
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.errors import InvalidInput
from kserve.logging import configure_logging
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer
from starlette.exceptions import HTTPException

from . import rows
from .auth import App, BearerAuth
from .contained import Contained
from .frameworks import FRAMEWORKS, LoadedModel, load_model
from .metrics import RequestMetrics
from .paths import ReplicaPaths
from .spec import ReplicaSpec

log = logging.getLogger(__name__)

SOCKET_MODE = 0o660


class ReplicaModel(Model):
    """A loaded model as the SDK serves it."""

    def __init__(self, spec: ReplicaSpec, loaded: LoadedModel) -> None:
        """Serve `loaded` under the spec's name."""
        super().__init__(spec.name)
        self._loaded = loaded
        self._version = spec.version
        # Off the event loop, so that a long prediction does not hide the model's health.
        self._pool = ThreadPoolExecutor(max_workers=spec.threads, thread_name_prefix="predict")
        self.ready = True

    async def predict(
        self,
        payload: Any,
        headers: dict[str, str] | None = None,  # noqa: ARG002 - the SDK passes it
    ) -> dict[str, Any] | InferResponse:
        """Answer a V1 body or a V2 request.

        Raises:
            InvalidInput: The request does not fit the model; callers get 400.
        """
        if isinstance(payload, InferRequest):
            names = rows.requested(payload, self._loaded)
            outputs = await self._run(rows.rows_of_v2(payload, self._loaded), names)
            return rows.answer_v2(payload, outputs, self._version)
        if isinstance(payload, bytes):
            try:
                payload = orjson.loads(payload)
            except orjson.JSONDecodeError as error:
                raise InvalidInput(f"the body is not JSON: {error}") from error
        default = next(iter(self._loaded.outputs))
        outputs = await self._run(rows.rows_of_v1(payload, self._loaded), [default])
        return {"predictions": outputs[default].tolist()}

    async def explain(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Refuse: no framework here brings an explainer.

        Raises:
            NotImplementedError: Always; callers get 501.
        """
        raise NotImplementedError(f"model {self.name} has no explainer")

    async def _run(self, matrix: Any, names: list[str]) -> dict[str, Any]:
        def compute() -> dict[str, Any]:
            return {name: self._loaded.outputs[name](matrix) for name in names}

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, compute)
        except (ValueError, TypeError) as error:
            # The libraries refuse values that fit the shape but not the model (NaN, text) with these.
            raise InvalidInput(str(error).splitlines()[0]) from error

    def get_input_types(self) -> list[dict[str, Any]]:
        """V2 metadata of the inputs."""
        return rows.input_types(self._loaded)

    def get_output_types(self) -> list[dict[str, Any]]:
        """V2 metadata of the outputs."""
        return rows.output_types(self._loaded)


class ReplicaDataPlane(DataPlane):
    """The SDK's data plane, with the version and the platform in a model's metadata."""

    def __init__(self, registry: ModelRepository, spec: ReplicaSpec) -> None:
        """Serve the models of `registry`."""
        super().__init__(model_registry=registry)
        self._spec = spec

    def decode(self, *arguments: Any, **options: Any) -> Any:
        """Read a body of either protocol.

        Raises:
            InvalidInput: It cannot be read; the SDK itself fails in many ways on tensors that are not what their
                headers say.
        """
        try:
            return super().decode(*arguments, **options)
        except InvalidInput:
            raise
        except Exception as error:
            said = str(error).splitlines()[:1] or [type(error).__name__]
            raise InvalidInput(f"the request cannot be read: {said[0]}") from error

    async def model_metadata(self, model_name: str) -> dict[str, Any]:
        """V2 metadata of the model."""
        metadata: dict[str, Any] = await super().model_metadata(model_name)
        return {**metadata, "versions": [self._spec.version], "platform": self._spec.framework}


class ReplicaServer(RESTServer):
    """The SDK's REST server, with error bodies that are always `{"error": ...}` and say nothing of the inside."""

    def _add_middlewares(self, app: FastAPI) -> None:
        """None: the SDK's log a line per request, which the tier in front does already."""

    def _add_exception_handlers(self, app: FastAPI) -> None:
        super()._add_exception_handlers(app)
        app.add_exception_handler(InvalidInput, _invalid)
        app.add_exception_handler(RequestValidationError, _malformed)
        app.add_exception_handler(HTTPException, _http)
        app.add_exception_handler(NotImplementedError, _not_implemented)
        app.add_exception_handler(Exception, _unexpected)


def serve(spec: ReplicaSpec, credential: str) -> None:
    """Load the model and serve it until SIGTERM; requests in flight are finished.

    Args:
        spec: What to serve, and where.
        credential: What callers have to present.

    Raises:
        LoadError: The model cannot be loaded.
        SystemExit: With 0, after SIGTERM.
    """
    configure_logging()
    # The SDK's own use of FastAPI; nothing that an operator could act on.
    warnings.simplefilter("ignore", FastAPIDeprecationWarning)
    prometheus_client.disable_created_metrics()
    for noisy in ("uvicorn.access", "kserve.trace"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    loaded = load_model(spec.framework, spec.artifact, spec.threads)
    repository = ModelRepository()
    repository.update(ReplicaModel(spec, loaded))
    server = ReplicaServer(
        FASTAPI_APP_IMPORT_STRING,
        ReplicaDataPlane(repository, spec),
        ModelRepositoryExtension(model_registry=repository),
        # The SDK insists on a port; an explicit socket, below, takes precedence over it.
        http_port=0,
        grace_period=max(1, round(spec.request_timeout_seconds)),
    )
    from kserve.model_server import app

    # Its redirects would tell callers the name by which the gateways ask for this model.
    app.router.redirect_slashes = False
    served: App = RequestMetrics(ReplicaPaths(app, spec), spec)
    if spec.credential_file is not None:
        open_paths = frozenset({f"/v2/models/{spec.name}/ready"})
        served = BearerAuth(served, credential, open_paths)
    server.config.app = Contained(served)
    # uvicorn raises the signal again once it has shut down: that is the end, and a good one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listener = listen(spec)
    title = FRAMEWORKS[spec.framework].title
    print(f"model {spec.name} {spec.version} is loaded ({title})", file=sys.stderr, flush=True)
    try:
        server.run(sockets=[listener])
    finally:
        if spec.socket is not None:
            spec.socket.unlink(missing_ok=True)


def listen(spec: ReplicaSpec) -> socket.socket:
    """Listen on a pod's port, or on a Unix socket that only the owner and the group may use.

    A socket file that a killed predecessor left is replaced. uvicorn's own `uds` option would open it to everybody.
    """
    path = spec.socket
    if path is None:
        return socket.create_server((spec.address, spec.port or 0))
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(SOCKET_MODE)
    return listener


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)


async def _malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    """What pydantic found wrong with a V2 body, without the echo of the body."""
    problems: list[str] = []
    for problem in error.errors():
        # Only the JSON branch of the SDK's union of JSON and binary bodies speaks about what the caller sent.
        where = [str(part) for part in problem["loc"] if part not in ("body", "InferenceRequest")]
        if problem["type"] == "json_invalid":
            problems.append(f"the body is not JSON: {problem['ctx']['error']}")
        elif "bytes" not in where:
            problems.append(
                f"{'.'.join(where)}: {problem['msg']}" if where else str(problem["msg"])
            )
    return JSONResponse(
        {"error": "; ".join(problems) or "the body is not a V2 inference request"}, status_code=400
    )


async def _http(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse(
        {"error": error.detail}, status_code=error.status_code, headers=error.headers
    )


async def _not_implemented(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"error": str(error) or "this model does not implement that"}, status_code=501
    )


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("request failed", exc_info=error)
    return JSONResponse({"error": "the model failed on this request"}, status_code=500)
