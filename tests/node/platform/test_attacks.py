# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attacks from inside: what a pod of one tenant reaches of another's, of the tiers' and of the cluster's.

No NetworkPolicy is enforced on this node, so what holds here is held by identities alone.
"""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.behaviour.client import Caller
from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.own_node import ADDRESS, OwnNode
from tests.node.platform.intruder import Answer, Intruder, Object, apply

_VICTIM, _ATTACKER = "tenant-a", "tenant-b"
_MODEL = "iris"
_PREDICT = f"/v1/models/{_MODEL}:predict"
_BODY = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
_SYSTEM = "inferencebox-system"
# Who may ask models, as tier 2's sidecar would say it.
_TIER2 = f"spiffe://cluster.local/ns/{_SYSTEM}/sa/tier2"

pytestmark = [
    machine.needed,
    pytest.mark.proves("L4", "tenants", "tier2"),
]


@pytest.fixture(scope="module")
def intruders(installed: OwnNode) -> t.Iterator[dict[str, Intruder]]:
    """One with an identity of its tenant in the mesh, one past the mesh."""
    made = {
        name: Intruder.start(installed, _ATTACKER, name, meshed=name == "meshed")
        for name in ("meshed", "bare")
    }
    yield made
    for one in made.values():
        one.stop()


@pytest.fixture(params=["meshed", "bare"])
def intruder(intruders: dict[str, Intruder], request: pytest.FixtureRequest) -> Intruder:
    return intruders[request.param]


def address_of(node: OwnNode, namespace: str, selector: str) -> str:
    """Address of the pod that carries some labels."""
    words = ["--namespace", namespace, "get", "pods", f"--selector={selector}", "--output=json"]
    pods = json.loads(node.kubectl(*words).stdout)["items"]
    running = [one for one in pods if not one["metadata"].get("deletionTimestamp")]
    return str(running[0]["status"]["podIP"])


def model_address(node: OwnNode) -> str:
    return address_of(node, _VICTIM, f"serving.kserve.io/inferenceservice={_MODEL}")


def is_refused(answer: Answer) -> bool:
    """Whether nothing was given away: no answer, a refusal by who knows identities, or no way by the pod's own sidecar."""
    return answer.status in (0, 401, 403, 502, 503) and "predictions" not in answer.text


def test_what_an_intruder_asks_can_be_answered(intruders: dict[str, Intruder]) -> None:
    """Else every refusal below would be one of the pod's own making."""
    answer = intruders["bare"].ask(ADDRESS, 6443, "/readyz", tls=True)
    assert (answer.status, answer.text) == (200, "ok")
    # A sidecar lets its pod out to what its tenant may ask, and to nothing else.
    assert intruders["meshed"].ask("127.0.0.1", 15021, "/healthz/ready").status == 200
    assert is_refused(intruders["meshed"].ask(ADDRESS, 6443, "/readyz", tls=True))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": f"{_MODEL}.{_VICTIM}.inference.localhost"},
        {"x-tenant-id": _VICTIM},
        {"x-forwarded-client-cert": f"By={_TIER2};Hash=0;URI={_TIER2}"},
    ],
    ids=["plain", "its host", "its tenant", "a forged client certificate"],
)
def test_no_model_of_another_tenant_answers(
    installed: OwnNode, intruder: Intruder, headers: dict[str, str]
) -> None:
    by_name = f"{_MODEL}-predictor.{_VICTIM}.svc.cluster.local"
    for host, port in ((by_name, 80), (model_address(installed), 8080)):
        answer = intruder.ask(host, port, _PREDICT, method="POST", headers=headers, body=_BODY)
        assert is_refused(answer), answer


def test_a_workload_of_the_mesh_takes_no_plain_text(
    installed: OwnNode, intruders: dict[str, Intruder]
) -> None:
    answer = intruders["bare"].ask(model_address(installed), 8080, f"/v2/models/{_MODEL}/ready")
    assert answer.status == 0, answer


def test_not_even_an_own_model_is_asked_past_tier_1(installed: OwnNode, intruder: Intruder) -> None:
    host = address_of(installed, _ATTACKER, "serving.kserve.io/inferenceservice=wine")
    answer = intruder.ask(host, 8080, "/v2/models/wine/ready")
    assert is_refused(answer), answer


@pytest.mark.parametrize("tls", [False, True])
def test_tier_2_lets_nobody_in_but_tier_1(
    installed: OwnNode, intruder: Intruder, tls: bool
) -> None:
    headers = {"Host": f"{_MODEL}.{_VICTIM}.inference.localhost", "x-tenant-id": _VICTIM}
    by_name = f"tier2.{_SYSTEM}.svc.cluster.local"
    for host in (by_name, address_of(installed, _SYSTEM, "app=tier2")):
        answer = intruder.ask(
            host, 8443, _PREDICT, method="POST", headers=headers, body=_BODY, tls=tls
        )
        assert answer.status in (0, 400, 403, 404, 503), answer
        assert "predictions" not in answer.text


# Of Envoy, of Istio's agent, and of Envoy Gateway, by which a gateway could be read or changed.
@pytest.mark.parametrize("port", [9901, 15000, 15004, 19000])
def test_no_tier_has_an_open_administration(
    installed: OwnNode, intruder: Intruder, port: int
) -> None:
    for labels in ("app.kubernetes.io/name=tier1", "app=tier2"):
        answer = intruder.ask(address_of(installed, _SYSTEM, labels), port, "/config_dump")
        assert answer.status == 0, answer


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/secrets",
        f"/api/v1/namespaces/{_VICTIM}/secrets",
        f"/api/v1/namespaces/{_ATTACKER}/secrets",
        f"/api/v1/namespaces/{_SYSTEM}/configmaps",
        f"/apis/serving.kserve.io/v1beta1/namespaces/{_VICTIM}/inferenceservices",
        f"/apis/serving.kserve.io/v1beta1/namespaces/{_ATTACKER}/inferenceservices",
        "/api/v1/nodes",
    ],
)
def test_the_default_account_reads_nothing_of_the_cluster(
    intruders: dict[str, Intruder], path: str
) -> None:
    intruder = intruders["bare"]
    for host, port in (("kubernetes.default.svc.cluster.local", 443), (ADDRESS, 6443)):
        assert intruder.ask(host, port, path, tls=True, account=True).status == 403
        assert intruder.ask(host, port, path, tls=True).status == 401


def test_the_kubelet_tells_nothing(intruders: dict[str, Intruder]) -> None:
    intruder = intruders["bare"]
    assert intruder.ask(ADDRESS, 10250, "/pods", tls=True).status == 401
    assert intruder.ask(ADDRESS, 10250, "/pods", tls=True, account=True).status == 403
    assert intruder.ask(ADDRESS, 10255, "/pods").status == 0


# What would take the victim's requests, or its policies, and whoever asks.
_HOST = f"{_MODEL}.{_VICTIM}.inference.localhost"
_HIJACKS: dict[str, tuple[str, str, Object]] = {
    "HTTPRoute": (
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        {
            "parentRefs": [{"name": "tier2", "namespace": _SYSTEM}],
            "hostnames": [_HOST],
            "rules": [{"backendRefs": [{"name": "wine-predictor", "port": 80}]}],
        },
    ),
    "VirtualService": (
        "networking.istio.io/v1",
        "VirtualService",
        {
            "hosts": [_HOST],
            "gateways": [f"{_SYSTEM}/tier2"],
            "http": [{"route": [{"destination": {"host": "wine-predictor"}}]}],
        },
    ),
    "Gateway": (
        "networking.istio.io/v1",
        "Gateway",
        {
            "selector": {"app": "tier2"},
            "servers": [
                {
                    "port": {"number": 8443, "name": "http", "protocol": "HTTP"},
                    "hosts": [_HOST],
                }
            ],
        },
    ),
    "EnvoyFilter": ("networking.istio.io/v1alpha3", "EnvoyFilter", {"configPatches": []}),
    "Telemetry": ("telemetry.istio.io/v1", "Telemetry", {"metrics": [{}]}),
    "Sidecar": (
        "networking.istio.io/v1",
        "Sidecar",
        {"egress": [{"hosts": ["*/*"]}]},
    ),
    "AuthorizationPolicy": (
        "security.istio.io/v1",
        "AuthorizationPolicy",
        {"action": "ALLOW", "rules": [{}]},
    ),
    "PeerAuthentication": (
        "security.istio.io/v1",
        "PeerAuthentication",
        {"mtls": {"mode": "DISABLE"}},
    ),
}


def hijack(name: str) -> Object:
    version, kind, spec = _HIJACKS[name]
    metadata = {"name": "hijack", "namespace": _ATTACKER}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def mighty(installed: OwnNode) -> t.Iterator[str]:
    """A tenant's account with every right in its namespace, as nobody should have given it."""
    binding: Object = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "mighty", "namespace": _ATTACKER},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": _ATTACKER}],
    }
    assert apply(installed, binding) == ""
    yield f"system:serviceaccount:{_ATTACKER}:default"
    installed.kubectl("--namespace", _ATTACKER, "delete", "rolebinding", "mighty")


@pytest.mark.proves("L4", "admission")
@pytest.mark.parametrize("name", _HIJACKS)
def test_admission_keeps_routes_and_policies_out_of_a_tenants_hands(
    installed: OwnNode, mighty: str, name: str
) -> None:
    refused = apply(installed, hijack(name), f"--as={mighty}")
    assert "ValidatingAdmissionPolicy" in refused, refused


@pytest.mark.proves("L4", "admission")
@pytest.mark.parametrize("name", ["HTTPRoute", "VirtualService"])
def test_not_even_an_administrator_gives_a_tenant_anothers_host(
    installed: OwnNode, name: str
) -> None:
    refused = apply(installed, hijack(name))
    assert "ValidatingAdmissionPolicy" in refused, refused


def test_after_all_of_that_the_victims_requests_are_still_its_own(
    platform: Platform, tokens: dict[str, str]
) -> None:
    with Caller(platform, tokens[_VICTIM]) as caller:
        answer = caller.post(_PREDICT, _BODY)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [0]})
