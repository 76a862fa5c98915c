# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubeconfigs as people have them, and wrong ones."""

from __future__ import annotations

import base64
import json
import ssl
import stat
import typing as t
from pathlib import Path

import httpx
import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import kubeconfig
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

from tests.cluster.certificates import Authority

Content = dict[str, t.Any]


def content(user: Content, **cluster: t.Any) -> Content:
    """A kubeconfig with one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def written(directory: Path, what: Content, name: str = "config") -> str:
    path = directory / name
    path.write_text(yaml.safe_dump(what))
    return str(path)


def headers(auth: httpx.Auth | None) -> httpx.Headers:
    """What a request carries when the server takes it at once."""
    assert auth is not None
    request = httpx.Request("GET", "https://example.com")
    return next(auth.sync_auth_flow(request)).headers


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_inline_and_external_certificates_are_the_same(
    tmp_path: Path, authority: Authority
) -> None:
    certificate, key = authority.issue("admin")

    def inline(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    user = {"client-certificate-data": inline(certificate), "client-key-data": inline(key)}
    first = kubeconfig.load(
        written(
            tmp_path, content(user, **{"certificate-authority-data": inline(authority.certificate)})
        )
    )
    # Relative names are meant from the kubeconfig's directory, not from where somebody stands.
    user = {"client-certificate": certificate.name, "client-key": key.name}
    second = kubeconfig.load(
        written(tmp_path, content(user, **{"certificate-authority": authority.certificate.name}))
    )
    for connection in (first, second):
        assert connection.server == "https://127.0.0.1:6443"
        (trusted,) = connection.trust.get_ca_certs()
        assert trusted["subject"] == ((("commonName", "tests"),),)
        assert connection.trust.verify_mode is ssl.CERT_REQUIRED
        assert connection.auth is None


def test_the_first_of_several_files_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = content({"token": "one"})
    del first["current-context"]
    second = content({"token": "two"}, server="https://elsewhere")
    second["contexts"].append({"name": "y", "context": {"cluster": "c", "user": "u"}})
    second["current-context"] = "y"
    paths = [written(tmp_path, first, "a"), written(tmp_path, second, "b"), "/not/there"]
    monkeypatch.setenv("KUBECONFIG", ":".join(paths))
    connection = kubeconfig.load()
    assert connection.server == "https://127.0.0.1:6443"
    assert headers(connection.auth)["authorization"] == "Bearer one"


def test_a_context_by_name(tmp_path: Path) -> None:
    what = content({"token": "one"})
    what["clusters"].append({"name": "d", "cluster": {"server": "https://d"}})
    what["contexts"].append({"name": "z", "context": {"cluster": "d", "user": "u"}})
    assert kubeconfig.load(written(tmp_path, what), "z").server == "https://d"
    with pytest.raises(ClusterError, match=r"no context 'nobody'\. There are: x, z\."):
        kubeconfig.load(written(tmp_path, what), "nobody")


def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    connection = kubeconfig.load(written(tmp_path, content({"tokenFile": "token"})))
    assert headers(connection.auth)["authorization"] == "Bearer first"
    (tmp_path / "token").write_text("second\n")
    assert headers(connection.auth)["authorization"] == "Bearer second"


def plugin(directory: Path, script: str) -> Content:
    """A user who logs in by a program."""
    path = directory / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)
    version = "client.authentication.k8s.io/v1"
    row = {"name": "WHO", "value": "me"}
    return {"exec": {"apiVersion": version, "command": str(path), "args": ["a"], "env": [row]}}


def test_a_plugin_is_asked_again_when_its_token_is_no_longer_taken(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("0")
    credential = json.dumps({"status": {"token": "TOKEN"}})
    script = f"n=$(($(cat {count}) + 1)); echo $n > {count}\n"
    script += f"echo '{credential}' | sed \"s/TOKEN/$WHO-$1-$n/\"\n"
    script += 'test -n "$KUBERNETES_EXEC_INFO"'
    connection = kubeconfig.load(written(tmp_path, content(plugin(tmp_path, script))))
    assert connection.auth is not None
    flow = connection.auth.sync_auth_flow(httpx.Request("GET", "https://example.com"))
    assert next(flow).headers["authorization"] == "Bearer me-a-1"
    again = flow.send(httpx.Response(401))
    assert again.headers["authorization"] == "Bearer me-a-2"
    assert headers(connection.auth)["authorization"] == "Bearer me-a-2"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no session >&2; exit 3", "failed: no session"),
        ("echo nonsense", "printed no credential"),
    ],
)
def test_a_plugin_that_fails_says_so(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        kubeconfig.load(written(tmp_path, content(plugin(tmp_path, script))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("]", "cannot be read as a kubeconfig"),
        ("- 1", "is not a kubeconfig"),
        ("{}", r"no context ''\. There are: none"),
    ],
)
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ClusterError, match=message):
        kubeconfig.load(str(path))


def test_a_key_that_does_not_fit(tmp_path: Path, authority: Authority) -> None:
    certificate, _ = authority.issue("one")
    _, key = authority.issue("two")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with pytest.raises(ClusterError, match="do not fit"):
        kubeconfig.load(written(tmp_path, content(user)))


def test_data_that_is_not_base64(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="not base64"):
        kubeconfig.load(written(tmp_path, content({"client-certificate-data": "%"})))


def test_a_pod_uses_its_service_account(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("pod")
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert authority.certificate.name == "ca.crt"
    connection = kubeconfig.load()
    assert connection.server == "https://[fd00::1]:443"
    assert headers(connection.auth)["authorization"] == "Bearer pod"


def test_verification_is_off_only_where_the_file_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, content({"token": "t"}, **{"insecure-skip-tls-verify": True}))
    connection = kubeconfig.load(path)
    assert connection.verified is False
    assert connection.trust.verify_mode is ssl.CERT_NONE
