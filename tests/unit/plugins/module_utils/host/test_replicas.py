# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Envoy's administration interface says of replicas, from a server that says it in Envoy's words."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import replicas

IRIS = "/run/iris.sock"
WINE = "/run/wine.sock"
_HEALTHY = {"eds_health_status": "HEALTHY"}


class Admin:
    """Answers with one list of clusters after the other, the last one again."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.said: list[t.Any] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/clusters?format=json"
                left = outer.said
                body = json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self.server = socketserver.ThreadingUnixStreamServer(self.path, Handler)


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Admin]:
    """Envoy's administration interface."""
    admin = Admin(tmp_path / "admin.sock")
    threading.Thread(target=admin.server.serve_forever, args=(0.01,), daemon=True).start()
    yield admin
    admin.server.shutdown()
    admin.server.server_close()


def _clusters(*hosts: tuple[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """One cluster for each host, after one that is reached by TCP and one that has no hosts."""
    tcp = {"address": {"socket_address": {"address": "127.0.0.1"}}, "health_status": _HEALTHY}
    rows: list[dict[str, t.Any]] = [{"name": "empty"}, {"name": "tcp", "host_statuses": [tcp]}]
    for path, health in hosts:
        host = {"address": {"pipe": {"path": path}}, "health_status": health}
        rows.append({"name": "model", "host_statuses": [host]})
    return {"cluster_statuses": rows}


def test_replicas_that_are_healthy(admin: Admin) -> None:
    admin.said = [_clusters((IRIS, _HEALTHY), (IRIS, _HEALTHY), (WINE, _HEALTHY))]
    assert replicas.until_healthy(admin.path, {"iris": [IRIS], "wine": [WINE]}, 0) == {}


def test_it_waits_for_the_next_health_check(admin: Admin) -> None:
    sick = {**_HEALTHY, "failed_active_health_check": True}
    admin.said = [_clusters((IRIS, sick)), _clusters(), _clusters((IRIS, _HEALTHY))]
    assert replicas.until_healthy(admin.path, {"iris": [IRIS]}, 30) == {}


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (
            {**_HEALTHY, "failed_active_health_check": True, "pending_active_hc": True},
            "tier 2 says of its replica: failed_active_health_check, pending_active_hc",
        ),
        ({"eds_health_status": "DRAINING"}, "tier 2 calls its replica sick"),
        ({}, "tier 2 calls its replica sick"),
    ],
)
def test_one_that_is_not_keeps_its_model_back(
    admin: Admin, health: dict[str, t.Any], reason: str
) -> None:
    admin.said = [_clusters((IRIS, _HEALTHY), (WINE, _HEALTHY), (WINE, health))]
    late = replicas.until_healthy(admin.path, {"iris": [IRIS], "wine": [IRIS, WINE]}, 0)
    assert late == {"wine": reason}


def test_one_that_is_not_known(admin: Admin) -> None:
    admin.said = [_clusters()]
    late = replicas.until_healthy(admin.path, {"iris": [IRIS]}, 0)
    assert late == {"iris": "tier 2 does not know its replica"}


def test_no_replicas_need_no_wait(admin: Admin) -> None:
    admin.said = [_clusters()]
    assert replicas.until_healthy(admin.path, {}, 30) == {}


def test_an_envoy_that_does_not_answer_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere.sock")
    late = replicas.until_healthy(path, {"iris": [IRIS]}, 0)
    assert late == {
        "iris": f"tier 2 does not answer on {path}: [Errno 2] No such file or directory"
    }
