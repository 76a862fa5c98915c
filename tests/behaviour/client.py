# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How this suite talks to a platform: plain HTTP, the official openai client, and raw bytes over TLS."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import httpx2
import openai

from .platform_json import Platform

# Longest time that any answer may take. What takes longer counts as a hang.
PATIENCE_SECONDS = 60.0
# A tenant's minute is over after one; more means that retry-after is wrong.
_LONGEST_RETRY_SECONDS = 65.0

Headers = t.Sequence[tuple[str, str]]


def bearer(token: str) -> tuple[str, str]:
    """The Authorization header of a token or key."""
    return ("authorization", f"Bearer {token}")


class _ConnectTo(httpx2.BaseTransport):
    """Connects to where the platform listens, while Host and TLS name stay those of the gateway."""

    def __init__(self, platform: Platform, *, http2: bool) -> None:
        context = ssl.create_default_context(cafile=str(platform.ca_file))
        self._platform = platform
        self._inner = httpx2.HTTPTransport(verify=context, http2=http2)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        host, port = self._platform.address
        request.url = request.url.copy_with(host=host, port=port)
        request.extensions = {**request.extensions, "sni_hostname": self._platform.host}
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def http_client(platform: Platform, *, http2: bool = False) -> httpx2.Client:
    """A plain HTTP client of the platform, without identity.

    Args:
        platform: The platform.
        http2: Offer HTTP/2 besides HTTP/1.1.

    Returns:
        A client with the platform's base URL, its CA, and no proxy from the environment.
    """
    return httpx2.Client(
        transport=_ConnectTo(platform, http2=http2),
        base_url=platform.base_url,
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    )


def openai_client(platform: Platform, token: str, *, http2: bool = False) -> openai.OpenAI:
    """The official client, as a user would set it up, but without retries that hide failures."""
    return openai.OpenAI(
        api_key=token,
        base_url=f"{platform.base_url}/v1",
        http_client=http_client(platform, http2=http2),
        max_retries=0,
    )


class _AsyncConnectTo(httpx2.AsyncBaseTransport):
    """The same for a client that does not block."""

    def __init__(self, platform: Platform) -> None:
        context = ssl.create_default_context(cafile=str(platform.ca_file))
        self._platform = platform
        self._inner = httpx2.AsyncHTTPTransport(verify=context)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, port = self._platform.address
        request.url = request.url.copy_with(host=host, port=port)
        request.extensions = {**request.extensions, "sni_hostname": self._platform.host}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def async_openai_client(platform: Platform, token: str) -> openai.AsyncOpenAI:
    """The official client for asyncio, set up as `openai_client` is."""
    return openai.AsyncOpenAI(
        api_key=token,
        base_url=f"{platform.base_url}/v1",
        http_client=httpx2.AsyncClient(
            transport=_AsyncConnectTo(platform),
            base_url=platform.base_url,
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        ),
        max_retries=0,
    )


class Caller:
    """One caller of the platform, with or without an identity.

    A caller is patient by default: told to wait for its tenant's next minute, it waits. So the suite can judge a
    platform with the limits that its owner set.
    """

    def __init__(
        self, platform: Platform, token: str | None = None, *, http2: bool = False
    ) -> None:
        self._http = http_client(platform, http2=http2)
        self._identity: Headers = [bearer(token)] if token else []

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        body: object = None,
        content: bytes | None = None,
        patient: bool = True,
    ) -> httpx2.Response:
        """One request and its whole answer.

        Args:
            method: HTTP method.
            path: Path and query.
            headers: Further headers; those of the identity come first.
            body: Sent as JSON, unless None.
            content: Sent as it is, instead of a JSON body.
            patient: Wait and repeat when the answer is 429.

        Returns:
            The answer, read to its end.
        """
        sent = [*self._identity, *headers]
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None and not any(name.lower() == "content-type" for name, _ in sent):
            sent.append(("content-type", "application/json"))
        while True:
            answer = self._http.request(method, path, headers=sent, content=content)
            if answer.status_code != httpx2.codes.TOO_MANY_REQUESTS or not patient:
                return answer
            wait = float(answer.headers["retry-after"])
            assert wait <= _LONGEST_RETRY_SECONDS, f"told to retry after {wait} s: {answer.text}"
            time.sleep(wait)

    def get(self, path: str, *, headers: Headers = (), patient: bool = True) -> httpx2.Response:
        """GET."""
        return self.send("GET", path, headers=headers, patient=patient)

    def post(
        self, path: str, body: object, *, headers: Headers = (), patient: bool = True
    ) -> httpx2.Response:
        """POST of a JSON body."""
        return self.send("POST", path, headers=headers, body=body, patient=patient)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back for raw bytes; status 0 when the connection was closed without an answer."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes


def raw_exchange(platform: Platform, request: bytes, *, timeout: float = 20.0) -> RawAnswer:
    """Sends bytes over TLS as they are: for requests that no proper client would make.

    Args:
        platform: The platform.
        request: The whole HTTP/1.1 request.
        timeout: Seconds after which silence is a hang.

    Returns:
        The first answer.

    Raises:
        TimeoutError: No answer, and the connection stayed open.
    """
    context = ssl.create_default_context(cafile=str(platform.ca_file))
    context.set_alpn_protocols(["http/1.1"])
    with (
        socket.create_connection(platform.address, timeout=timeout) as plain,
        context.wrap_socket(plain, server_hostname=platform.host) as tls,
    ):
        # The server may answer and close before it has read all: the answer counts.
        with contextlib.suppress(OSError):
            tls.sendall(request)
        return read_answer(tls, request.split(b" ", 1)[0].decode("latin-1"))


def read_answer(connection: socket.socket, method: str) -> RawAnswer:
    """Reads one HTTP/1.1 answer from a connection."""
    answer = http.client.HTTPResponse(connection, method=method)
    try:
        answer.begin()
        body = answer.read()
    except TimeoutError:
        raise
    except (http.client.HTTPException, OSError):
        return RawAnswer(0, {}, b"")
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return RawAnswer(answer.status, headers, body)


def request_bytes(
    platform: Platform,
    method: str,
    target: bytes,
    headers: t.Sequence[tuple[bytes, bytes]] = (),
    body: bytes = b"",
) -> bytes:
    """A request as bytes, with nothing checked or normalized but Host and Content-Length added."""
    out = io.BytesIO()
    out.write(method.encode() + b" " + target + b" HTTP/1.1\r\n")
    out.write(f"host: {platform.host}:{platform.port}\r\n".encode())
    for name, value in headers:
        out.write(name + b": " + value + b"\r\n")
    if body:
        out.write(f"content-length: {len(body)}\r\n".encode())
    out.write(b"connection: close\r\n\r\n" + body)
    return out.getvalue()


def run_command(command: t.Sequence[str], *, timeout: float = 60.0) -> str:
    """Runs a command of the platform's own CLI and returns its standard output.

    Raises:
        RuntimeError: It failed; the message carries what it said.
    """
    # platform.json may name the program without a path: the one beside this interpreter is meant.
    program = shutil.which(command[0]) or str(Path(sys.executable).parent / command[0])
    done = subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} exited {done.returncode}: {done.stdout}{done.stderr}"
        )
    return done.stdout


def fetch_token(platform: Platform, tenant: str) -> str:
    """A token of a tenant, by the command that platform.json names."""
    command = [part.replace("{tenant}", tenant) for part in platform.token_command]
    return run_command(command).strip()


def fetch_tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    return {tenant: fetch_token(platform, tenant) for tenant in sorted(platform.tenants)}
