# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a gateway answers where callers look for it, and as itself."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import typing as t
from dataclasses import dataclass

from ..errors import ProcessError

_SECONDS = 5.0
# How modules are given a `Gateway`.
OPTIONS: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "name": {"type": "str", "required": True},
    "ca_file": {"type": "path", "required": True},
}
# And one that answers only who shows a certificate.
MUTUAL_OPTIONS: t.Mapping[str, t.Mapping[str, t.Any]] = {
    **OPTIONS,
    "certificate": {"type": "path"},
    "key": {"type": "path"},
}


@dataclass(frozen=True)
class Gateway:
    """A gateway as its callers see it.

    Attributes:
        address: IP address to connect to.
        port: TCP port.
        name: Host name that its certificate must carry.
        ca_file: The authority that vouches for it.
        certificate: What its caller shows; None for nothing.
        key: The private key of that.
    """

    address: str
    port: int
    name: str
    ca_file: str
    certificate: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}"


class _Connection(http.client.HTTPSConnection):
    """Connects to an address while TLS asks for a name."""

    def __init__(self, gateway: Gateway, seconds: float) -> None:
        context = ssl.create_default_context(cafile=gateway.ca_file)
        if gateway.certificate:
            context.load_cert_chain(gateway.certificate, gateway.key)
        super().__init__(gateway.name, gateway.port, timeout=seconds, context=context)
        self._gateway = gateway
        self._context = context

    def connect(self) -> None:
        """Connect to the address and check the certificate against the name."""
        place = (self._gateway.address, self._gateway.port)
        plain = socket.create_connection(place, timeout=self.timeout)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self._gateway.name)
        except BaseException:
            plain.close()
            raise


def problem(gateway: Gateway, path: str) -> str | None:
    """Say why a gateway does not answer a path with 200.

    Returns:
        The reason, or None where it does.
    """
    try:
        status = ask(gateway, path)
    except ProcessError as error:
        return str(error)
    return None if status == http.HTTPStatus.OK else f"{gateway} answers {path} with {status}"


def ask(
    gateway: Gateway,
    path: str,
    body: bytes | None = None,
    headers: t.Mapping[str, str] | None = None,
    seconds: float = _SECONDS,
) -> int:
    """Make one request.

    Args:
        gateway: Whom to ask.
        path: For what.
        body: What to send; None to GET.
        headers: Headers of the request.
        seconds: How long it may be silent.

    Returns:
        The status of the answer.

    Raises:
        ProcessError: There is no answer, or it is not this gateway's.
    """
    for file in filter(None, (gateway.ca_file, gateway.certificate, gateway.key)):
        if not os.path.exists(file):
            raise ProcessError(f"{file} is missing")
    connection = _Connection(gateway, seconds)
    method = "GET" if body is None else "POST"
    try:
        connection.request(method, path, body, dict(headers or {}))
        return connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        raise ProcessError(
            f"what answers at {gateway} is not this platform: {error.verify_message}"
        ) from error
    except ConnectionRefusedError as error:
        raise ProcessError(f"nothing listens at {gateway}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ProcessError(f"no answer at {gateway}: {error}") from error
    finally:
        connection.close()
