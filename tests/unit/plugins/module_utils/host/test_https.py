# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A gateway answers as itself, or it is said why not."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host.https import (
    Gateway,
    problem,
)

from tests.tls import Authority, https_server

NAME = "gateway.inference.localhost"


def _answers(path: str) -> tuple[int, bytes]:
    return (200, b"") if path == "/healthz" else (503, b"")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _gateway(port: int, authority: Authority, name: str = NAME) -> Gateway:
    return Gateway("127.0.0.1", port, name, str(authority.ca_file))


def test_one_that_answers_has_no_problem(authority: Authority) -> None:
    with https_server(authority, _answers, NAME) as port:
        assert problem(_gateway(port, authority), "/healthz") is None


def test_another_status_is_told(authority: Authority) -> None:
    with https_server(authority, _answers, NAME) as port:
        said = problem(_gateway(port, authority), "/else")
    assert said == f"127.0.0.1:{port} answers /else with 503"


def test_somebody_else_is_not_taken_for_it(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with https_server(Authority(tmp_path / "other"), _answers, NAME) as port:
        said = problem(_gateway(port, authority), "/healthz")
    assert said is not None
    assert "is not this platform" in said
    with https_server(authority, _answers, "other.example.org") as port:
        said = problem(_gateway(port, authority), "/healthz")
    assert said is not None
    assert "is not this platform" in said


def test_who_wants_to_see_a_certificate_is_shown_one(authority: Authority) -> None:
    with https_server(authority, _answers, NAME, mutual=True) as port:
        gateway = _gateway(port, authority)
        assert problem(gateway, "/healthz") is not None
        certificate, key = map(str, authority.issue("caller"))
        shown = replace(gateway, certificate=certificate, key=key)
        assert problem(shown, "/healthz") is None
        lost = replace(shown, key=f"{key}.lost")
        assert problem(lost, "/healthz") == f"{key}.lost is missing"


def test_nobody_is_told(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    assert problem(_gateway(port, authority), "/") == f"nothing listens at 127.0.0.1:{port}"


def test_who_speaks_no_tls_is_told(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        port = int(server.getsockname()[1])
        gateway = _gateway(port, authority)

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.sendall(b"SSH-2.0-x\r\n")
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        said = problem(gateway, "/")
        thread.join()
    assert said is not None
    assert said.startswith(f"no answer at 127.0.0.1:{port}")


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    gateway = Gateway("::1", 1, NAME, str(tmp_path / "ca.crt"))
    assert problem(gateway, "/") == f"{tmp_path}/ca.crt is missing"
    assert str(gateway) == "[::1]:1"
