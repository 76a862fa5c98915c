# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Activation, judged by the real Envoy: what it refuses never goes live, and what goes live fails no request."""

from __future__ import annotations

import copy
import datetime
import http.server
import json
import os
import shutil
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.envoy import tier1, tier2
from ansible_collections.inferencebox.platform.plugins.module_utils.envoy.types import Certificate
from ansible_collections.inferencebox.platform.plugins.module_utils.envoy.xds import (
    CLUSTER,
    ENDPOINTS,
    EXTENSION,
    LISTENER,
    ROUTES,
    discovery,
    extension,
    pipe,
    typed,
    watched,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    GatewayConfigError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.envoy import (
    Json,
    activate,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.unix_http import probe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.platform_home import eventually
from tests.unit.plugins.module_utils.envoy import sample
from tests.unit.runtime_environment import runtime_python

_BUFFER = "envoy.extensions.filters.http.buffer.v3.Buffer"


@dataclass(frozen=True)
class Config:
    """A gateway that discovers all it can: listener, routes, a filter, clusters, endpoints."""

    bootstrap: Json
    resources: dict[str, Json]


@pytest.fixture(scope="module")
def binary() -> str:
    return str(runtime_python().with_name("envoy"))


@pytest.fixture
def directory() -> Iterator[Path]:
    # Unix socket names are limited to 107 bytes, which pytest's own directories exceed.
    path = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def _config(directory: Path, backends: dict[str, str], chosen: str) -> Config:
    """One cluster for each backend (name to socket); all requests go to the chosen one."""
    place = str(directory)
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        {
            "stat_prefix": "test",
            "rds": {"route_config_name": "r", "config_source": watched(place, "routes.json")},
            "http_filters": [
                {
                    "name": "limit",
                    "config_discovery": {
                        "config_source": watched(place, "filter-limit.json"),
                        "type_urls": [f"type.googleapis.com/{_BUFFER}"],
                    },
                },
                extension("router", "envoy.extensions.filters.http.router.v3.Router"),
            ],
        },
    )
    listener = {
        "name": "l",
        "address": pipe(f"{place}/in.sock"),
        "filter_chains": [{"filters": [manager]}],
    }
    clusters = [
        {
            "name": name,
            "type": "EDS",
            "eds_cluster_config": {"eds_config": watched(place, f"endpoints-{name}.json")},
        }
        for name in backends
    ]
    route = {"match": {"prefix": "/"}, "route": {"cluster": chosen}}
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
    limit = {"name": "limit", "typed_config": typed(_BUFFER, {"max_request_bytes": 1000})}
    return Config(
        {
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": pipe(f"{place}/admin.sock")},
            "dynamic_resources": {
                "lds_config": watched(place, "listeners.json"),
                "cds_config": watched(place, "clusters.json"),
            },
        },
        {
            "clusters.json": discovery(CLUSTER, clusters),
            **{
                f"endpoints-{name}.json": discovery(ENDPOINTS, [_endpoints(name, socket)])
                for name, socket in backends.items()
            },
            "filter-limit.json": discovery(EXTENSION, [limit]),
            "routes.json": discovery(ROUTES, [{"name": "r", "virtual_hosts": hosts}]),
            "listeners.json": discovery(LISTENER, [listener]),
        },
    )


def _endpoints(name: str, socket: str) -> Json:
    endpoint = {"endpoint": {"address": pipe(socket)}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _live(directory: Path) -> dict[str, str]:
    return {
        str(one.relative_to(directory)): one.read_text()
        for one in sorted(directory.rglob("*.json"))
    }


def _break_listener(resources: dict[str, Json]) -> None:
    resources["listeners.json"]["resources"][0]["no_such_field"] = 1


def _break_route(resources: dict[str, Json]) -> None:
    hosts = resources["routes.json"]["resources"][0]["virtual_hosts"]
    hosts.append(copy.deepcopy(hosts[0]))


def _break_route_target(resources: dict[str, Json]) -> None:
    (host,) = resources["routes.json"]["resources"][0]["virtual_hosts"]
    host["routes"][0]["route"]["cluster"] = "nowhere"


def _break_filter(resources: dict[str, Json]) -> None:
    resources["filter-limit.json"]["resources"][0]["typed_config"]["max_request_bytes"] = 0


def _break_cluster(resources: dict[str, Json]) -> None:
    resources["clusters.json"]["resources"][0]["lb_policy"] = "BEST"


def _break_endpoints(resources: dict[str, Json]) -> None:
    (one,) = resources["endpoints-a.json"]["resources"]
    one["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = {}


def _forget_routes(resources: dict[str, Json]) -> None:
    resources["routes.json"]["resources"] = []


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_break_listener, "no_such_field"),
        (_break_route, "single wildcard domain"),
        (_break_route_target, "unknown cluster 'nowhere'"),
        (_break_filter, "MaxRequestBytes"),
        (_break_cluster, "BEST"),
        (_break_endpoints, "Address"),
        (_forget_routes, "refers to route 'r', which no file defines"),
    ],
)
def test_what_envoy_refuses_replaces_nothing(
    binary: str, directory: Path, damage: Callable[[dict[str, Json]], None], sentence: str
) -> None:
    good = _config(directory, {"a": "/a.sock"}, "a")
    activate(binary, str(directory), good.bootstrap, good.resources)
    before = _live(directory)
    bad = copy.deepcopy(good)
    damage(bad.resources)
    with pytest.raises(GatewayConfigError, match=sentence) as caught:
        activate(binary, str(directory), bad.bootstrap, bad.resources)
    assert "candidate" not in str(caught.value), "no path of ours in Envoy's sentence"
    assert _live(directory) == before


def test_cycle_of_a_configuration(binary: str, directory: Path) -> None:
    config = _config(directory, {"a": "/a.sock"}, "a")
    arguments = (binary, str(directory), config.bootstrap, config.resources)
    planned = activate(*arguments, check=True)
    assert _live(directory) == {}
    assert len(planned.changed) == 6
    assert activate(*arguments) == planned
    assert activate(*arguments).changed == ()
    (directory / "xds/stale.json").write_text("{}")
    assert activate(*arguments).changed == (f"{directory}/xds/stale.json",)
    assert "xds/stale.json" not in _live(directory)


def test_check_mode_before_envoy_is_installed(directory: Path) -> None:
    config = _config(directory, {"a": "/a.sock"}, "a")
    missing = str(directory / "envoy")
    assert activate(missing, str(directory), config.bootstrap, config.resources, check=True).changed
    with pytest.raises(GatewayConfigError, match="cannot be run"):
        activate(missing, str(directory), config.bootstrap, config.resources)


def test_endpoint_files_of_another_step_are_made_empty_and_then_left_alone(
    binary: str, directory: Path
) -> None:
    config = _config(directory, {"a": "/a.sock"}, "a")
    elsewhere = directory / "endpoints/a.json"
    (cluster,) = config.resources["clusters.json"]["resources"]
    cluster["eds_cluster_config"]["eds_config"] = {
        "path_config_source": {"path": str(elsewhere)},
        "resource_api_version": "V3",
    }
    del config.resources["endpoints-a.json"]
    arguments = (binary, str(directory), config.bootstrap, config.resources)
    assert str(elsewhere) in activate(*arguments).changed
    content = json.loads(elsewhere.read_text())
    assert content["resources"][0]["cluster_name"] == "a"
    elsewhere.write_text(json.dumps(discovery(ENDPOINTS, [_endpoints("a", "/b.sock")])))
    assert activate(*arguments).changed == ()
    stale = directory / "endpoints/gone.json"
    stale.write_text("{}")
    assert activate(*arguments).changed == (str(stale),)


class _Backends:
    """HTTP servers on Unix sockets, each answering with its own status."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._servers: list[socketserver.BaseServer] = []

    def start(self, name: str, status: int) -> str:
        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        path = str(self._directory / f"{name}.sock")
        server = socketserver.ThreadingUnixStreamServer(path, Answer)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._servers.append(server)
        return path

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def backends(directory: Path) -> Iterator[_Backends]:
    started = _Backends(directory)
    yield started
    started.stop()


@pytest.fixture
def envoy(binary: str, directory: Path) -> Iterator[Callable[[], None]]:
    """Start Envoy on what was activated."""
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [binary, "-c", f"{directory}/bootstrap.json", "--disable-hot-restart"]
        log = (directory / "envoy.log").open("wb")
        running.append(subprocess.Popen([*command, "--concurrency", "1"], stderr=log, stdout=log))

    yield start
    for process in running:
        process.terminate()
        process.wait()


def test_traffic_moves_between_clusters_without_a_failed_request(
    binary: str, directory: Path, backends: _Backends, envoy: Callable[[], None]
) -> None:
    one, two = backends.start("one", 200), backends.start("two", 204)
    first = _config(directory, {"a": one}, "a")
    second = _config(directory, {"b": two}, "b")
    activate(binary, str(directory), first.bootstrap, first.resources)
    envoy()
    entry = f"{directory}/in.sock"
    eventually(lambda: probe(entry, "/") == 200, "Envoy answers")
    seen: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            seen.append(probe(entry, "/"))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for config, status in ((second, 204), (first, 200), (second, 204)):
            activate(binary, str(directory), config.bootstrap, config.resources)
            eventually(lambda status=status: seen[-1] == status, f"answers with {status}")  # type: ignore[misc]
            time.sleep(0.3)
    finally:
        done.set()
        asking.join()
    assert set(seen) == {200, 204}
    assert len(seen) > 100
    live = json.loads((directory / "xds/clusters.json").read_text())
    assert [one["name"] for one in live["resources"]] == ["b"], "the old cluster is gone at last"


def test_a_refused_change_leaves_a_running_envoy_serving(
    binary: str, directory: Path, backends: _Backends, envoy: Callable[[], None]
) -> None:
    config = _config(directory, {"a": backends.start("one", 200)}, "a")
    activate(binary, str(directory), config.bootstrap, config.resources)
    envoy()
    entry = f"{directory}/in.sock"
    eventually(lambda: probe(entry, "/") == 200, "Envoy answers")
    bad = copy.deepcopy(config.resources)
    _break_filter(bad)
    with pytest.raises(GatewayConfigError):
        activate(binary, str(directory), config.bootstrap, bad)
    assert probe(entry, "/") == 200


def _certificate(path: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(f"{path}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    Path(f"{path}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _files(identity: Certificate) -> None:
    _certificate(identity.certificate.removesuffix(".crt"))
    shutil.copy(identity.certificate, identity.ca)


def test_both_tiers_of_the_platform_are_accepted(binary: str, directory: Path) -> None:
    home = str(directory)
    one, two = sample.tier1_input(home), sample.tier2_input(home)
    for identity in (one.server, one.client, two.server):
        _files(identity)
    for path in two.credentials.values():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_text("Bearer secret")
    for tier, config in (("tier1", tier1.build(one)), ("tier2", tier2.build(two))):
        arguments = (binary, f"{home}/{tier}", config.bootstrap, config.resources)
        assert activate(*arguments).changed
        assert activate(*arguments).changed == ()


def test_a_certificate_that_does_not_fit_its_key_is_refused(binary: str, directory: Path) -> None:
    home = str(directory)
    one = sample.tier1_input(home)
    for identity in (one.server, one.client):
        _files(identity)
    shutil.copy(one.client.key, one.server.key)
    config = tier1.build(one)
    with pytest.raises(GatewayConfigError, match="private key"):
        activate(binary, f"{home}/tier1", config.bootstrap, config.resources)
