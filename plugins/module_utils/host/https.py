# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a gateway answers where callers look for it, and as itself."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from dataclasses import dataclass

_SECONDS = 5.0


@dataclass(frozen=True)
class Gateway:
    """A gateway as its callers see it.

    Attributes:
        address: IP address to connect to.
        port: TCP port.
        name: Host name that its certificate must carry.
        ca_file: The authority that vouches for it.
    """

    address: str
    port: int
    name: str
    ca_file: str

    def __str__(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}"


class _Connection(http.client.HTTPSConnection):
    """Connects to an address while TLS asks for a name."""

    def __init__(self, gateway: Gateway) -> None:
        context = ssl.create_default_context(cafile=gateway.ca_file)
        super().__init__(gateway.name, gateway.port, timeout=_SECONDS, context=context)
        self._gateway = gateway
        self._context = context

    def connect(self) -> None:
        """Connect to the address and check the certificate against the name."""
        place = (self._gateway.address, self._gateway.port)
        plain = socket.create_connection(place, timeout=_SECONDS)
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
    if not os.path.exists(gateway.ca_file):
        return f"{gateway.ca_file} is missing"
    connection = _Connection(gateway)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        return f"what answers at {gateway} is not this platform: {error.verify_message}"
    except ConnectionRefusedError:
        return f"nothing listens at {gateway}"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer at {gateway}: {error}"
    finally:
        connection.close()
    return None if status == http.HTTPStatus.OK else f"{gateway} answers {path} with {status}"
