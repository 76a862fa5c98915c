# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1 without controller as it is applied: its Deployment starts the real AI Gateway, with what it is given."""

from __future__ import annotations

import copy
import ssl
import time
import typing as t
from pathlib import Path

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import gateway_pod

from tests.cluster import controlled, proven, standalone_gateway
from tests.cluster.controlled import ControlledCluster
from tests.cluster.node.requests import Requests
from tests.cluster.node.sandbox import Program
from tests.cluster.signer import Signer
from tests.cluster.steps import Object, Platform
from tests.unit.plugins.module_utils.kubernetes import sample

_LACKING = controlled.missing() or (
    "" if standalone_gateway.programs() else "needs the packages of make gateway-programs"
)
pytestmark = [
    pytest.mark.proves("L2", "tier1-standalone"),
    pytest.mark.skipif(bool(_LACKING), reason=_LACKING),
]
_SECONDS = 240.0
_NAMESPACE = "inferencebox-system"
_HOST = f"gateway.{proven.DOMAIN}"
_BASE_URL = f"https://{_HOST}:30443"
_BUILTIN = Signer(_BASE_URL, _BASE_URL, "tenant")


def _programs() -> dict[str, Program]:
    """What stands for both images of the pod."""
    found = standalone_gateway.programs()
    assert found is not None
    aigw, envoy = found
    return {
        "ai-gateway-cli": Program({"/app": aigw}, ("/app",)),
        "envoy": Program({"/usr/local/bin/envoy": envoy}, ()),
    }


def _objects(directory: Path) -> list[Object]:
    """The platform's parts that concern tier 1, and what is made at install."""
    raw = copy.deepcopy(sample.FULL)
    raw |= {
        "platform_engine": {"gateway": "standalone"},
        "platform_cluster": {"service_type": "NodePort"},
        "platform_gateway": {"address": "127.0.0.1", "https_port": 30443},
        "platform_identity": {"issuers": [{"name": "builtin"}]},
    }
    raw["tenants"][0]["limits"] = {"requests_per_minute": 600}
    platform = load(raw)
    _, secrets = proven.secrets(directory)
    secrets = [one for one in secrets if one["metadata"]["name"] == "tier1-server"]
    secrets.append(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "elsewhere-key", "namespace": _NAMESPACE},
            "stringData": {"apiKey": "paid-by-us"},
        }
    )
    keys = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"issuer-{name}", "namespace": _NAMESPACE},
            "data": {"jwks": _BUILTIN.key_set()},
        }
        for name in ("builtin", "keys")
    ]
    parts = [made for part in ("system", "gateway") for made in kubernetes.objects(platform, part)]
    return [*parts, *secrets, *keys]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[t.Callable[..., httpx.Response]]:
    """Asks the edge."""
    directory = tmp_path_factory.mktemp("pod")
    with ControlledCluster((), programs=_programs()) as cluster:
        platform = Platform("demo", cluster.kubeconfig)
        report = platform.apply(_objects(directory), wait_timeout=_SECONDS)
        assert not report.problem, report.problem
        with Requests.to(cluster.kubeconfig) as api:
            (pod,) = api.items(f"/api/v1/namespaces/{_NAMESPACE}/pods")
        trust = ssl.create_default_context(cafile=str(directory / "ca.crt"))
        base = f"https://{pod['status']['podIP']}:{gateway_pod.PORT}"
        with httpx.Client(base_url=base, verify=trust, trust_env=False, timeout=60.0) as client:

            def asked(path: str, token: str = "") -> httpx.Response:
                headers = {"host": f"{_HOST}:30443"}
                if token:
                    headers["authorization"] = f"Bearer {token}"
                return client.get(path, headers=headers, extensions={"sni_hostname": _HOST})

            yield asked


def test_it_is_well(ask: t.Callable[..., httpx.Response]) -> None:
    assert ask("/healthz").status_code == httpx.codes.OK


def test_it_knows_the_issuer_and_the_tenants_models(ask: t.Callable[..., httpx.Response]) -> None:
    assert ask("/v1/models").status_code == httpx.codes.UNAUTHORIZED
    deadline = time.monotonic() + _SECONDS
    # Keys are placed beside the configuration once the gateway runs.
    while (answer := ask("/v1/models", _BUILTIN.token("tenant-c"))).status_code != httpx.codes.OK:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)
    assert [one["id"] for one in answer.json()["data"]] == ["iris"]
    stranger = Signer(_BASE_URL, _BASE_URL, "tenant")
    assert ask("/v1/models", stranger.token("tenant-c")).status_code == httpx.codes.UNAUTHORIZED
