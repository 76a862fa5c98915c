# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests to an API server over a few kept connections, with the retries that the API asks for."""

from __future__ import annotations

import json
import random
import time
import types
from collections.abc import Iterator, Mapping
from typing import Any, Self

from ..errors import ClusterError, RefusedError
from .http import httpx
from .kubeconfig import Connection, load

# More at once only queue up in the server's own fairness queues.
CONCURRENCY = 16
_CONNECT_SECONDS = 10.0
# Admission webhooks may take up to 30 s each.
_ANSWER_SECONDS = 60.0
_PAGE = 500
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_METADATA_ONLY = {
    "Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
}
# A webhook's pod that has just started, a certificate that is not yet everywhere: these pass by themselves.
_PASSING = ("failed calling webhook", "etcdserver:", "the object has been modified")


class Api:
    """One connection to a cluster; methods may be called from several threads.

    Args:
        connection: Where to and as whom.
        patience: How long after a first failure, in seconds, to repeat a request that may succeed later.
        transport: What sends the requests; None for the network.

    Attributes:
        server: URL of the API server.
        warnings: What a person should know of the connection.
    """

    def __init__(
        self,
        connection: Connection,
        patience: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.patience = patience
        self.server = connection.server
        self.warnings: tuple[str, ...] = ()
        if not connection.verified:
            text = "the kubeconfig switches the verification of the API server's certificate off"
            self.warnings = (text,)
        self._extensions = (
            {"sni_hostname": connection.server_name} if connection.server_name else {}
        )
        self._client = httpx.Client(
            base_url=connection.server,
            verify=connection.trust,
            auth=connection.auth,
            proxy=connection.proxy,
            transport=transport,
            headers={"Accept": "application/json", "User-Agent": "inferencebox"},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, path: str, accept: str | None = None) -> dict[str, Any]:
        """Read one thing.

        Raises:
            RefusedError: The server says no; code 404 where there is nothing.
            ClusterError: The server cannot be reached.
        """
        return self._request("GET", path, headers={"Accept": accept} if accept else None)[1]

    def list_all(
        self, path: str, selector: str, *, metadata_only: bool = False, patient: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Read all objects at a collection's path that carry some labels, page by page.

        Args:
            path: Path of the collection.
            selector: Label selector.
            metadata_only: Leave out all but the metadata, so that no secret travels.
            patient: Repeat the request where that may help; else the first answer counts.

        Raises:
            RefusedError: The server says no.
            ClusterError: The server cannot be reached.
        """
        query = {"labelSelector": selector, "limit": str(_PAGE)}
        headers = _METADATA_ONLY if metadata_only else None
        while True:
            answer = self._request("GET", path, query, headers=headers, patient=patient)[1]
            yield from answer.get("items") or []
            following = answer.get("metadata", {}).get("continue")
            if not following:
                return
            query["continue"] = following

    def apply(
        self, path: str, body: Mapping[str, Any], manager: str, *, dry_run: bool, force: bool
    ) -> tuple[bool, dict[str, Any]]:
        """Apply one object on the server's side, unknown fields refused.

        Args:
            path: The object's own path.
            body: The object, as wanted.
            manager: Field manager.
            dry_run: Only say what would come of it.
            force: Take fields over from other managers.

        Returns:
            Whether it is new, and the object as it is now.

        Raises:
            RefusedError: The server says no.
            ClusterError: The server cannot be reached.
        """
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        if force:
            query["force"] = "true"
        code, answer = self._request("PATCH", path, query, headers=_APPLY, body=body)
        return code == httpx.codes.CREATED, answer

    def annotate(self, path: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of an object that is there.

        Raises:
            RefusedError: The server says no.
            ClusterError: The server cannot be reached.
        """
        headers = {"Content-Type": "application/merge-patch+json"}
        body = {"metadata": {"annotations": dict(annotations)}}
        self._request("PATCH", path, headers=headers, body=body)

    def log(self, path: str, container: str, lines: int) -> str:
        """Read the end of a container's log.

        Args:
            path: The pod's own path.
            container: Its name.
            lines: How many at most.

        Raises:
            RefusedError: The server says no, and where the container has not started.
            ClusterError: The server cannot be reached.
        """
        query = {"container": container, "tailLines": str(lines)}
        return self._send("GET", f"{path}/log", query, patient=False).text

    def delete(
        self, path: str, uid: str, *, dry_run: bool, grace_seconds: int | None = None
    ) -> None:
        """Delete one object, if it is still the one that was looked at; what it owns goes in the background.

        Args:
            path: The object's own path.
            uid: Of the object that was looked at.
            dry_run: Only say what would come of it.
            grace_seconds: Time that it has to end; its own where None.

        Raises:
            RefusedError: The server says no; code 404 where it is gone, 409 where another has its name.
            ClusterError: The server cannot be reached.
        """
        options: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if dry_run:
            options["dryRun"] = ["All"]
        headers = {"Content-Type": "application/json"}
        self._request("DELETE", path, headers=headers, body=options)

    def may(self, attributes: Mapping[str, str]) -> bool:
        """Ask whether one's user may do something.

        Args:
            attributes: Of the question: verb, group, resource, and namespace where it has one.

        Raises:
            RefusedError: The server does not say.
            ClusterError: The server cannot be reached.
        """
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        headers = {"Content-Type": "application/json"}
        answer = self._request("POST", path, headers=headers, body=review)[1]
        return bool((answer.get("status") or {}).get("allowed"))

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        patient: bool = True,
    ) -> tuple[int, dict[str, Any]]:
        response = self._send(method, path, query, headers, body, patient=patient)
        return response.status_code, response.json()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        patient: bool = True,
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        deadline: float | None = None
        pause = _FIRST_PAUSE_SECONDS
        while True:
            wanted = 0.0
            try:
                response = self._client.request(
                    method,
                    path,
                    params=query,
                    headers=headers,
                    content=content,
                    extensions=self._extensions,
                )
                if response.is_success:
                    return response
                refusal = _refused(response)
                if not _may_pass(refusal):
                    raise refusal
                failure: ClusterError = refusal
                wanted = _asked_pause(response)
            except httpx.TransportError as error:
                failure = ClusterError(
                    f"the API server {self.server} does not answer: {error or type(error).__name__}"
                )
                # Nothing listens there, or it is not who it should be: that is for a person to mend.
                if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
                    raise failure from error
            if deadline is None:
                deadline = time.monotonic() + (self.patience if patient else 0.0)
            pause = max(pause, wanted)
            if time.monotonic() + pause > deadline:
                raise failure
            # Spread, so that what was refused together does not come back together.
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def connect(path: str | None = None, context: str | None = None, patience: float = 30.0) -> Api:
    """Open a connection to the cluster that a kubeconfig names.

    Raises:
        ClusterError: The kubeconfig is missing or wrong, or its login plugin fails.
    """
    return Api(load(path, context), patience)


def _refused(response: httpx.Response) -> RefusedError:
    try:
        status = response.json()
        message = status["message"]
    except (ValueError, KeyError, TypeError):
        # A proxy in between, say, whose pages help nobody.
        text = f"{response.request.method} {response.request.url.path}: HTTP {response.status_code}"
        return RefusedError(response.status_code, "", text)
    causes = (status.get("details") or {}).get("causes") or []
    return RefusedError(response.status_code, status.get("reason") or "", message, causes)


def _may_pass(failure: RefusedError) -> bool:
    if failure.code in (429, 502, 503, 504):
        return True
    return failure.code in (409, 500) and any(text in failure.message for text in _PASSING)


def _asked_pause(response: httpx.Response) -> float:
    """Seconds that the server asks to wait; 0 where it does not."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else 0.0
