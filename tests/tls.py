# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An authority of a test's own, and a small server that it vouches for."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# What a path is answered with: status and body.
Answers = t.Callable[[str], tuple[int, bytes]]


class Authority:
    """Signs certificates; its own lies at `ca_file`.

    Args:
        directory: Where its files are written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
        self.ca_file = directory / "ca.crt"
        self.ca_file.write_bytes(self._sign(self._name, self._key.public_key(), [], authority=True))

    def issue(self, *names: str) -> tuple[Path, Path]:
        """Makes a certificate for host names and IP addresses.

        Returns:
            Its file and that of its key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = [_general_name(name) for name in names]
        certificate = self._directory / "server.crt"
        certificate.write_bytes(self._sign(subject, key.public_key(), alternatives))
        private = self._directory / "server.key"
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        alternatives: t.Sequence[x509.GeneralName],
        *,
        authority: bool = False,
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


@contextlib.contextmanager
def https_server(
    authority: Authority,
    answers: Answers,
    *names: str,
    address: str = "127.0.0.1",
    port: int = 0,
    mutual: bool = False,
) -> t.Iterator[int]:
    """Serves answers over TLS while the block runs.

    Args:
        authority: Who vouches for it.
        answers: Status and body for a path.
        names: What its certificate says; the address where left out.
        address: Where it listens.
        port: Its port; any that is free where left out.
        mutual: Whether it answers only who shows a certificate of the same authority.

    Yields:
        Its port.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = answers(self.path)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(*(names or (address,))))
    if mutual:
        context.load_verify_locations(authority.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED

    open_connections: set[socket.socket] = set()

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        daemon_threads = True

        def finish_request(self, request: t.Any, client_address: t.Any) -> None:
            open_connections.add(request)
            try:
                super().finish_request(request, client_address)
            finally:
                open_connections.discard(request)

        def handle_error(self, *_: object) -> None:
            """A client that goes, or is sent away, is no failure of a test."""

    with Server((address, port), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
            # Who kept a connection would be answered on it for ever.
            for connection in list(open_connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
