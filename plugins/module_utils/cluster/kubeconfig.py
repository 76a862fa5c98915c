# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a kubeconfig to what an HTTP client needs: address, trust, and a way to say who asks.

Reads what kubectl reads: several files, contexts, inline and external certificates, tokens, token files and exec
credential plugins; without any file, a pod's service account. Keys never stay on disk.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import ClusterError
from .http import httpx

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# A login plugin may have to ask its cloud; longer than this it is waiting for a person.
_PLUGIN_SECONDS = 60.0


@dataclass(frozen=True)
class Connection:
    """How to reach one cluster as one user.

    Attributes:
        server: URL of the API server.
        trust: Certificates to trust and, where the user has one, the client certificate.
        auth: What adds the user's credential to a request; None where the certificate is all.
        proxy: URL of the proxy that the kubeconfig names.
        server_name: Name to expect in the server's certificate, if other than the address.
        verified: False when the kubeconfig switches the verification of the server off.
    """

    server: str
    trust: ssl.SSLContext
    auth: httpx.Auth | None = None
    proxy: str | None = None
    server_name: str | None = None
    verified: bool = True


def load(path: str | None = None, context: str | None = None) -> Connection:
    """Find and read the kubeconfig.

    Args:
        path: File, or several joined as in KUBECONFIG; None for KUBECONFIG or ``~/.kube/config``.
        context: Name of a context; None for the current one.

    Returns:
        The connection that the context describes.

    Raises:
        ClusterError: A file is missing or wrong, or a login plugin fails.
    """
    chosen = path or os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = [Path(part).expanduser() for part in chosen.split(os.pathsep) if part]
    present = [file for file in files if file.is_file()]
    if not present:
        if path is None and context is None and SERVICE_ACCOUNT.is_dir():
            return _in_cluster()
        raise ClusterError(
            f"no kubeconfig at {chosen}", "Set platform_cluster.kubeconfig, or KUBECONFIG."
        )
    return _Kubeconfig(present).connection(context)


class _Kubeconfig:
    """Several files seen as one: of entries with one name, the first counts."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._where = os.pathsep.join(map(str, files))
        self._current = ""
        self._rows: dict[str, dict[str, tuple[Path, dict[str, Any]]]] = {}
        for file in files:
            self._add(file)

    def _add(self, file: Path) -> None:
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            # The parser's own text would quote the file, keys included.
            raise ClusterError(f"{file} cannot be read as a kubeconfig") from error
        if not isinstance(content, dict):
            raise ClusterError(f"{file} is not a kubeconfig")
        self._current = self._current or content.get("current-context") or ""
        for section, item in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
            rows = self._rows.setdefault(section, {})
            for row in content.get(section) or []:
                if isinstance(row, dict) and isinstance(row.get("name"), str):
                    rows.setdefault(row["name"], (file, row.get(item) or {}))

    def connection(self, context: str | None) -> Connection:
        _, chosen = self._row("contexts", context or self._current)
        file, cluster = self._row("clusters", chosen.get("cluster", ""))
        server = cluster.get("server")
        if not isinstance(server, str):
            raise ClusterError(f"{file}: the cluster has no server address")
        name = chosen.get("user", "")
        user_file, user = self._row("users", name) if name else (file, {})
        verified = not cluster.get("insecure-skip-tls-verify", False)
        trust = _trust(file, cluster, verified=verified)
        auth = _identity(trust, user_file, user, cluster)
        return Connection(
            server.rstrip("/"),
            trust,
            auth,
            cluster.get("proxy-url"),
            cluster.get("tls-server-name"),
            verified,
        )

    def _row(self, section: str, name: str) -> tuple[Path, dict[str, Any]]:
        rows = self._rows[section]
        if name not in rows:
            known = ", ".join(sorted(rows)) or "none"
            raise ClusterError(f"{self._where}: no {section[:-1]} {name!r}", f"There are: {known}.")
        return rows[name]


def _in_cluster() -> Connection:
    host, port = (
        os.environ.get("KUBERNETES_SERVICE_HOST"),
        os.environ.get("KUBERNETES_SERVICE_PORT"),
    )
    if not host or not port:
        raise ClusterError("there is a service account, but KUBERNETES_SERVICE_HOST is not set")
    address = f"[{host}]" if ":" in host else host
    trust = ssl.create_default_context(cafile=str(SERVICE_ACCOUNT / "ca.crt"))
    return Connection(f"https://{address}:{port}", trust, _TokenFile(SERVICE_ACCOUNT / "token"))


def _trust(file: Path, cluster: Mapping[str, Any], *, verified: bool) -> ssl.SSLContext:
    data, name = cluster.get("certificate-authority-data"), cluster.get("certificate-authority")
    try:
        if data:
            context = ssl.create_default_context(cadata=_decoded(data).decode("ascii"))
        elif name:
            context = ssl.create_default_context(cafile=str(_beside(file, name)))
        else:
            context = ssl.create_default_context()
    except (OSError, ValueError) as error:
        raise ClusterError(f"{file}: the cluster's certificate authority is unusable") from error
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _identity(
    trust: ssl.SSLContext, file: Path, user: Mapping[str, Any], cluster: Mapping[str, Any]
) -> httpx.Auth | None:
    """Load a client certificate into the context, or return what adds a token."""
    certificate = _pem(file, user, "client-certificate")
    if certificate is not None:
        _load_certificate(trust, certificate, _pem(file, user, "client-key") or b"")
    if user.get("token"):
        return _Token(user["token"])
    if user.get("tokenFile"):
        return _TokenFile(_beside(file, user["tokenFile"]))
    if user.get("exec"):
        plugin = _Plugin(file, user["exec"], cluster)
        credential = plugin.run()
        if credential.get("clientCertificateData"):
            pair = credential["clientCertificateData"], credential.get("clientKeyData", "")
            _load_certificate(trust, pair[0].encode(), pair[1].encode())
        return _PluginToken(plugin, credential["token"]) if credential.get("token") else None
    if user.get("username"):
        return httpx.BasicAuth(user["username"], user.get("password", ""))
    if user.get("auth-provider"):
        raise ClusterError(f"{file}: auth-provider is gone from Kubernetes", "Use an exec plugin.")
    return None


def _pem(file: Path, user: Mapping[str, Any], key: str) -> bytes | None:
    if user.get(f"{key}-data"):
        return _decoded(user[f"{key}-data"])
    if user.get(key):
        path = _beside(file, user[key])
        try:
            return path.read_bytes()
        except OSError as error:
            raise ClusterError(f"{path} cannot be read: {error.strerror}") from error
    return None


def _load_certificate(trust: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # OpenSSL takes these from files only; this one has mode 0600 and is gone at once.
    with tempfile.NamedTemporaryFile(prefix="inferencebox-") as pair:
        pair.write(certificate + b"\n" + key)
        pair.flush()
        try:
            trust.load_cert_chain(pair.name)
        except (OSError, ssl.SSLError) as error:
            raise ClusterError("the kubeconfig's client certificate and key do not fit") from error


def _decoded(data: Any) -> bytes:
    try:
        return base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ClusterError("the kubeconfig holds data that is not base64") from error


def _beside(file: Path, name: str) -> Path:
    """Relative names are meant from the kubeconfig's directory."""
    return file.parent / Path(name).expanduser()


class _Token(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _TokenFile(httpx.Auth):
    """Reads the file for each request, because the kubelet rotates it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ClusterError(f"{self._path} cannot be read: {error.strerror}") from error
        request.headers["Authorization"] = f"Bearer {token}"
        yield request


class _Plugin:
    """A program that logs in and prints a credential (client.authentication.k8s.io)."""

    def __init__(self, file: Path, spec: Mapping[str, Any], cluster: Mapping[str, Any]) -> None:
        command = str(spec.get("command", ""))
        # A path is meant from the kubeconfig's directory, a bare name from PATH.
        self._command = str(_beside(file, command)) if os.sep in command else command
        self._arguments = [str(argument) for argument in spec.get("args") or []]
        self._environment = {row["name"]: str(row["value"]) for row in spec.get("env") or []}
        information: dict[str, Any] = {"interactive": False}
        if spec.get("provideClusterInfo"):
            information["cluster"] = dict(cluster)
        self._information = {
            "apiVersion": spec.get("apiVersion"),
            "kind": "ExecCredential",
            "spec": information,
        }

    def run(self) -> dict[str, str]:
        environment = {
            **os.environ,
            **self._environment,
            "KUBERNETES_EXEC_INFO": json.dumps(self._information),
        }
        try:
            done = subprocess.run(
                [self._command, *self._arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PLUGIN_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ClusterError(
                f"the login plugin {self._command} cannot be run: {error}"
            ) from error
        if done.returncode != 0:
            said = done.stderr.strip()[-300:] or f"status {done.returncode}"
            raise ClusterError(f"the login plugin {self._command} failed: {said}")
        try:
            status = json.loads(done.stdout)["status"]
        except (ValueError, KeyError, TypeError) as error:
            raise ClusterError(f"{self._command} printed no credential") from error
        return dict(status)


class _PluginToken(httpx.Auth):
    """Uses the plugin's token, and asks the plugin again when the server no longer takes it."""

    def __init__(self, plugin: _Plugin, token: str) -> None:
        self._plugin = plugin
        self._token = token
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        used = self._token
        request.headers["Authorization"] = f"Bearer {used}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        with self._lock:
            if self._token == used:
                self._token = self._plugin.run().get("token", "")
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
