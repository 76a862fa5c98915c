# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP to a platform: to its gateway as any caller, and to tier 2's counters as its operator."""

from __future__ import annotations

import json
import ssl
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ._home import Home
from ._output import EXIT_NO_PLATFORM, CommandError

# Longer than the longest time limit of a model by default; the gateway answers 504 before.
TIMEOUT_SECONDS = 330.0
_ADMIN_SECONDS = 5.0


class _ConnectTo(httpx.HTTPTransport):
    """Connects to where the platform listens, while Host and TLS name stay those of the gateway."""

    def __init__(self, place: Home) -> None:
        super().__init__(verify=ssl.create_default_context(cafile=str(place.ca_file)), http2=False)
        self._host = place.host
        self._address = place.address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host, port = self._address
        request.url = request.url.copy_with(host=host, port=port)
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        return super().handle_request(request)


@contextmanager
def gateway(place: Home, token: str) -> Iterator[httpx.Client]:
    """Open a client of the gateway, as one caller.

    Args:
        place: The platform.
        token: Who calls.

    Yields:
        The client; paths are relative to the platform's address.

    Raises:
        CommandError: The gateway cannot be reached, or its answer breaks off.
    """
    try:
        with httpx.Client(
            transport=_ConnectTo(place),
            base_url=place.base_url,
            headers={"authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        ) as client:
            yield client
    except (httpx.TransportError, ssl.SSLError, FileNotFoundError) as error:
        host, port = place.address
        raise CommandError(
            f"the gateway at {host}:{port} cannot be reached: {error}",
            "See how the platform is with `inferencebox status`; start it with `inferencebox up`.",
            exit_code=EXIT_NO_PLATFORM,
        ) from error


def refused(response: httpx.Response) -> CommandError:
    """Translate an answer that is no success into one sentence.

    Args:
        response: The answer, read to its end.
    """
    message = _reason(response)
    request = response.headers.get("x-request-id")
    hints = {
        httpx.codes.TOO_MANY_REQUESTS: f"Try again in {response.headers.get('retry-after', 'some')} seconds.",
        httpx.codes.NOT_FOUND: "See what a tenant may use with `inferencebox models --tenant NAME`.",
        httpx.codes.SERVICE_UNAVAILABLE: "See why with `inferencebox status`.",
    }
    hint = hints.get(httpx.codes(response.status_code), "")
    if request:
        hint = f"{hint} Its request id is {request}.".strip()
    return CommandError(f"the platform answered {response.status_code}: {message}", hint)


def _reason(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or response.reason_phrase
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def events(response: httpx.Response) -> Iterator[t.Any]:
    """Read the JSON of each server-sent event until the stream says that it is done."""
    for line in response.iter_lines():
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        yield json.loads(data)


def tier2_stats(place: Home, pattern: str) -> list[dict[str, t.Any]]:
    """Read counters, gauges and histograms of tier 2.

    Args:
        place: The platform.
        pattern: Regular expression that a name must match somewhere.

    Returns:
        Envoy's own list; empty when tier 2 does not answer.
    """
    socket = place.path / "run/tier2/admin.sock"
    query = {"format": "json", "histogram_buckets": "detailed", "filter": pattern}
    try:
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), timeout=_ADMIN_SECONDS
        ) as client:
            answer = client.get("http://tier2/stats", params=query).raise_for_status()
        return list(answer.json()["stats"])
    except (httpx.HTTPError, OSError, ValueError, KeyError):
        return []
