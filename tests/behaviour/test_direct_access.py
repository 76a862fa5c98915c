# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nothing but tier 1 answers callers: tier 2 and model servers refuse whoever comes directly."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import processes
from .client import RawAnswer, read_answer, request_bytes
from .platform_json import Platform

# By convention the user without rights; no part of the platform runs as it.
_NOBODY_UID = 65534


@pytest.fixture(scope="module")
def model_sockets(home: Path) -> list[Path]:
    """Sockets of the model servers."""
    found = sorted((home / "run" / "models").rglob("*.sock"))
    assert found, "no model server has a socket"
    return found


@pytest.fixture(scope="module")
def tier2_socket(home: Path) -> Path:
    """The socket at which tier 2 expects tier 1."""
    return home / "run" / "tier2" / "gateway.sock"


@contextlib.contextmanager
def _connected(path: Path) -> t.Iterator[socket.socket]:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    try:
        connection.connect(str(path))
        yield connection
    finally:
        connection.close()


def _ask(path: Path, request: bytes) -> RawAnswer:
    with _connected(path) as connection:
        connection.sendall(request)
        return read_answer(connection, request.split(b" ", 1)[0].decode())


def _inside_requests(platform: Platform, *headers: tuple[bytes, bytes]) -> list[bytes]:
    """What tier 1 would ask, for each model, without its credential."""
    asked = []
    for model in platform.models.values():
        path = model.example_path.encode()
        claims = [(b"x-tenant-id", model.owner.encode()), (b"content-type", b"application/json")]
        for target in (
            path,
            path.replace(b"/v1/chat", b"/chat"),
            b"/v1/models",
            b"/metrics",
            b"/docs",
        ):
            asked.append(request_bytes(platform, "POST", target, [*claims, *headers], b"{}"))
            asked.append(request_bytes(platform, "GET", target, [*claims, *headers]))
    return asked


@pytest.mark.parametrize(
    "authorization",
    [None, b"Bearer x", b"Bearer ", b"Basic eDp4", b"bearer"],
)
def test_a_model_server_refuses_who_has_no_credential(
    platform: Platform, model_sockets: list[Path], authorization: bytes | None
) -> None:
    headers = [(b"authorization", authorization)] if authorization is not None else []
    for path in model_sockets:
        for request in _inside_requests(platform, *headers):
            assert _ask(path, request).status == 401, (path, request)


def test_a_tenants_token_is_no_credential_of_a_model_server(
    platform: Platform, model_sockets: list[Path], tokens: dict[str, str]
) -> None:
    for path in model_sockets:
        for token in tokens.values():
            header = (b"authorization", f"Bearer {token}".encode())
            for request in _inside_requests(platform, header):
                assert _ask(path, request).status == 401, (path, request)


def test_model_servers_listen_on_no_port(home: Path) -> None:
    servers = processes.find(home, "model")
    assert servers
    assert processes.listening_ports(servers) == {}


def test_the_platform_listens_only_where_it_says(platform: Platform, home: Path) -> None:
    ports = processes.listening_ports(processes.everything(home))
    assert platform.address[1] in ports
    assert processes.listening_ports(processes.find(home, "tier1")).keys() == {platform.address[1]}
    figures = json.loads((home / "platform.json").read_text(encoding="utf-8"))["observability"]
    observed = processes.listening_ports(processes.find(home, "tier2")).keys()
    assert observed == {urlsplit(figures["metrics_url"]).port}
    observing = processes.find(home, "prometheus")
    for port, owners in ports.items():
        if port != platform.address[1]:
            shown = [process.command[:3] for process in owners]
            assert _is_loopback_only(port), f"{port} of {shown} is open to other machines"
            assert not processes.listening_ports(processes.find(home, "supervisord")), shown
    assert len(ports) <= 2 + len(observing), ports


def _is_loopback_only(port: int) -> bool:
    """Whether every listener of a port is bound to 127.0.0.0/8 or ::1."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            address, _, number = fields[1].rpartition(":")
            # Addresses are in the host's byte order: 127.0.0.1 ends in 7F, ::1 in 01000000.
            local = address.endswith("7F") or address == "0" * 24 + "01000000"
            if fields[3] == "0A" and int(number, 16) == port and not local:
                return False
    return True


def test_tier2_does_not_speak_without_tls(platform: Platform, tier2_socket: Path) -> None:
    for request in _inside_requests(platform):
        assert _ask(tier2_socket, request).status == 0, request


def _tls(path: Path, context: ssl.SSLContext, request: bytes) -> RawAnswer:
    """Asks tier 2 over TLS; status 0 when it refuses the connection."""
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _connected(path) as plain:
        try:
            with context.wrap_socket(plain) as tls:
                tls.sendall(request)
                # With TLS 1.3 a refused certificate shows at the first read.
                return read_answer(tls, "GET")
        except (ssl.SSLError, ConnectionError):
            return RawAnswer(0, {}, b"")


def test_tier2_refuses_who_shows_no_certificate(platform: Platform, tier2_socket: Path) -> None:
    for request in _inside_requests(platform):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        assert _tls(tier2_socket, context, request).status == 0


def test_tier2_refuses_a_certificate_of_another_authority(
    platform: Platform, home: Path, tier2_socket: Path, tmp_path: Path
) -> None:
    names = _spiffe_names(home)
    assert names, "no certificate of the platform could be read for its names"
    for name in [*names, f"spiffe://{platform.name}/tier1"]:
        certificate, key = _self_signed(tmp_path, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(certificate, key)
        for request in _inside_requests(platform)[:4]:
            assert _tls(tier2_socket, context, request).status == 0, name


def test_tier2_refuses_another_identity_of_its_own_authority(
    platform: Platform, home: Path, tier2_socket: Path
) -> None:
    tried = 0
    for certificate in sorted((home / "pki").rglob("*.crt")):
        key = certificate.with_suffix(".key")
        if _is_tier1_client(certificate) or not os.access(key, os.R_OK):
            continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(certificate, key)
        tried += 1
        for request in _inside_requests(platform)[:4]:
            answer = _tls(tier2_socket, context, request)
            assert answer.status in {0, 403}, (certificate, answer)
    if not tried:
        pytest.skip("no other certificate of the platform is readable here")


def _spiffe_names(home: Path) -> list[str]:
    return sorted({name for file in (home / "pki").rglob("*.crt") for name in _uris(file)})


def _uris(certificate: Path) -> list[str]:
    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, x509.ExtensionNotFound):
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _is_tier1_client(certificate: Path) -> bool:
    return any("tier1" in uri or "tier-1" in uri for uri in _uris(certificate))


def _self_signed(directory: Path, uri: str) -> tuple[Path, Path]:
    """A certificate that claims a name of the platform, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tier1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "self.crt", directory / "self.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


# Tells whether another Unix user may connect to, or read, each path.
_PROBE = """
import socket, sys
for path in sys.argv[1:]:
    try:
        if path.endswith(".sock"):
            socket.socket(socket.AF_UNIX).connect(path)
        else:
            open(path, "rb").close()
    except OSError:
        continue
    print(path)
"""


@pytest.fixture(scope="module")
def as_user() -> t.Callable[[int, list[Path]], list[str]]:
    """Runs the probe as another Unix user and returns what that user reached."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root and setpriv to act as another Unix user")
    # The suite's own interpreter may lie where other users may not look.
    python = next((p for p in ("/usr/bin/python3", sys.executable) if Path(p).exists()), "python3")

    def run(uid: int, paths: list[Path]) -> list[str]:
        done = subprocess.run(
            [
                setpriv,
                "--reuid",
                str(uid),
                "--regid",
                str(uid),
                "--clear-groups",
                python,
                "-c",
                _PROBE,
            ]
            + [str(path) for path in paths],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            timeout=60,
        )
        return done.stdout.split()

    return run


def test_another_unix_user_reaches_no_socket(
    home: Path, as_user: t.Callable[[int, list[Path]], list[str]]
) -> None:
    sockets = sorted((home / "run").rglob("*.sock"))
    assert sockets
    assert as_user(_NOBODY_UID, sockets) == []


def test_another_unix_user_reads_no_secret(
    home: Path, as_user: t.Callable[[int, list[Path]], list[str]]
) -> None:
    secret = [
        path
        for top in ("identity", "replicas", "pki", "state", "logs", "artifacts", "tier1", "tier2")
        for path in sorted((home / top).rglob("*"))
        if path.is_file() and path.suffix != ".crt"
    ]
    assert secret
    assert as_user(_NOBODY_UID, secret) == []


def test_one_tenants_user_reaches_nothing_of_another(
    home: Path, as_user: t.Callable[[int, list[Path]], list[str]]
) -> None:
    servers = processes.find(home, "model")
    users = {process.uid for process in servers}
    assert 0 not in users, "a model server runs as root"
    sockets = sorted((home / "run").rglob("*.sock"))
    by_owner = {uid: [path for path in sockets if path.stat().st_uid != uid] for uid in users}
    for uid, foreign in by_owner.items():
        assert as_user(uid, foreign) == []
        private = [
            path
            for top in ("identity", "replicas", "artifacts")
            for path in sorted((home / top).rglob("*"))
            if path.is_file() and path.stat().st_uid not in {uid, 0}
        ]
        assert as_user(uid, private) == []


def test_the_tiers_do_not_run_as_root(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("nothing runs as root, because the platform was not installed by root")
    for kind in ("tier1", "tier2", "model"):
        assert all(process.uid != 0 for process in processes.find(home, kind)), kind
