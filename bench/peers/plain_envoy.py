# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Envoy as a single hop without any policy: what TLS and a proxy cost before anything is decided.

The same Envoy, workers and certificate as tier 1, no filter but the router, no access log; the credential of the model
server stands in its configuration. Its second listener, plain HTTP to the LLM, is for peers that reach no Unix socket.
"""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.serving import runtime_of

from tests.behaviour.platform_json import Model
from tests.ports import free_ports

from ..endpoint import Endpoint, Request
from ..subject import Subject
from ._process import running as run

Json = dict[str, t.Any]

_START_SECONDS = 30.0
_API = "type.googleapis.com/envoy"
_HCM = f"{_API}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TLS = f"{_API}.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_ROUTER = f"{_API}.extensions.filters.http.router.v3.Router"
_FOREVER = "0s"


@dataclass(frozen=True)
class PlainEnvoy:
    """A running one.

    Attributes:
        endpoint: TLS, to whichever model a path means.
        llm_port: Plain HTTP to the LLM; the caller brings the model server's credential.
        admin: Admin socket.
        pid: Process id.
    """

    endpoint: Endpoint
    llm_port: int
    admin: str
    pid: int


@contextmanager
def running(subject: Subject, directory: Path) -> Iterator[PlainEnvoy]:
    """Run it while the block lasts.

    Args:
        subject: The platform whose model servers it stands before.
        directory: Where its files go.

    Raises:
        BenchError: It does not start.
    """
    port, llm_port = free_ports(2)
    admin = str(directory / "admin.sock")
    config = directory / "envoy.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps(_bootstrap(subject, port, llm_port, admin)), encoding="utf-8")
    workers = str(max(1, min(4, len(os.sched_getaffinity(0)))))
    command = [subject.envoy, "--config-path", str(config), "--concurrency", workers]
    command += ["--disable-hot-restart", "--log-level", "warning"]
    endpoint = Endpoint(
        "plain", subject.platform.host, None, address=("127.0.0.1", port), tls=subject.tls()
    )
    probe = Request("ready", "GET", f"/v2/models/{subject.predictive.name}/ready")

    def ready() -> bool:
        try:
            return endpoint.ask(probe) == 200
        except OSError:
            return False

    with run(command, directory / "envoy.log", ready, timeout=_START_SECONDS) as process:
        yield PlainEnvoy(endpoint, llm_port, admin, process.pid)


def _bootstrap(subject: Subject, port: int, llm_port: int, admin: str) -> Json:
    tls = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TLS,
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [
                    {
                        "certificate_chain": {"filename": subject.certificate("server", "crt")},
                        "private_key": {"filename": subject.certificate("server", "key")},
                    }
                ],
            },
        },
    }
    by_path = [
        _route("/v1/chat/", subject.llm, subject),
        _route("/", subject.predictive, subject),
    ]
    passed = [
        {"match": {"prefix": "/"}, "route": {"cluster": subject.llm.name, "timeout": _FOREVER}}
    ]
    models = (subject.predictive, subject.llm)
    return {
        "admin": {"address": {"pipe": {"path": admin, "mode": 0o600}}},
        "static_resources": {
            "listeners": [
                _listener("plain", port, by_path, {"transport_socket": tls}),
                _listener("llm", llm_port, passed, {}),
            ],
            "clusters": [
                _cluster(
                    model.name,
                    subject.socket(model),
                    keeps_connections=runtime_of(model.framework).keeps_connections,
                )
                for model in models
            ],
        },
    }


def _listener(name: str, port: int, routes: list[Json], chain: Json) -> Json:
    manager = {
        "@type": _HCM,
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{**chain, "filters": filters}],
    }


def _route(prefix: str, model: Model, subject: Subject) -> Json:
    credential = subject.credential_file(model).read_text(encoding="ascii").strip()
    header = {"key": "authorization", "value": f"Bearer {credential}"}
    return {
        "match": {"prefix": prefix},
        "route": {"cluster": model.name, "timeout": _FOREVER},
        "request_headers_to_add": [
            {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
    }


def _cluster(name: str, socket: str, *, keeps_connections: bool) -> Json:
    address = {"endpoint": {"address": {"pipe": {"path": socket}}}}
    once = {} if keeps_connections else {"max_requests_per_connection": 1}
    return {
        "name": name,
        "type": "STATIC",
        # As tier 2 does it: llama.cpp's server closes connections without having said so.
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_API}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": "30s", **once},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [address]}]},
    }
