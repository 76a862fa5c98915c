# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model in mode knative on a node: it goes to zero, and comes back for whoever may ask it, and for nobody else."""

from __future__ import annotations

import json
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.behaviour.client import bearer, fetch_token, http_client
from tests.behaviour.platform_json import Platform
from tests.node import installing, machine, scaled
from tests.node.own_node import OwnNode
from tests.node.versions import LEAST_LIKELY, Versions, chance

_TOGETHER, _TIMES = 25, 10
_REQUESTS, _AFTER = 300, 20
_PATIENCE = 240.0
_PREDICT = f"/v1/models/{scaled.MODEL}:predict"
_INSTANCES = {"instances": [[5.1, 3.5, 1.4, 0.2]]}

pytestmark = [
    machine.needed,
    pytest.mark.proves("L4", "knative"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node with a platform whose one model scales to zero."""
    directory = tmp_path_factory.mktemp("scaling")
    with installing.installed(directory, scaled.VARIABLES) as own:
        yield own


@pytest.fixture(scope="module")
def platform(node: OwnNode) -> Platform:
    """How it is called."""
    return Platform.read(node.home / "platform.json")


@pytest.fixture(scope="module")
def token(platform: Platform) -> str:
    """Of the tenant whose model it is."""
    return fetch_token(platform, scaled.OWNER)


def ask(platform: Platform, token: str) -> int:
    """Ask the model over a connection of one's own."""
    name, value = bearer(token)
    with http_client(platform) as client:
        # A pod starts within it on a busy machine, too.
        answer = client.post(_PREDICT, json=_INSTANCES, headers={name: value}, timeout=_PATIENCE)
    return answer.status_code


@pytest.mark.parametrize("time", range(_TIMES))
def test_requests_held_from_zero_are_answered(
    node: OwnNode, platform: Platform, token: str, time: int
) -> None:
    scaled.wait_for_zero(node)
    with ThreadPoolExecutor(_TOGETHER) as pool:
        asked = [pool.submit(ask, platform, token) for _ in range(_TOGETHER)]
        assert [one.result() for one in asked] == [200] * _TOGETHER, f"burst {time}"


# Each way by which a model could be asked around tier 2: where, and what the request claims.
_ATTACK = """
import http.client, json
found = {}
for name, (address, port, headers) in json.loads(ATTEMPTS).items():
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("POST", PATH, BODY, {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        found[name] = [answer.status, answer.read().decode(errors="replace")[:200]]
    except (OSError, http.client.HTTPException) as error:
        found[name] = [0, str(error)]
print(json.dumps(found))
"""
_PROBE = "probe of the gateway"


def attempts(node: OwnNode) -> dict[str, t.Any]:
    """Ways to the model as they are now, by name."""
    (service,) = scaled.listed(node, "services.serving.knative.dev", scaled.OWNER)
    revision = service["status"]["latestReadyRevisionName"]
    host = f"{scaled.MODEL}-predictor.{scaled.OWNER}.svc.cluster.local"
    claims = {
        "Host": host,
        "Knative-Serving-Namespace": scaled.OWNER,
        "Knative-Serving-Revision": revision,
    }
    (gateway,) = scaled.addresses(node, "istio-system", "istio=ingressgateway")
    (activator,) = scaled.addresses(node, "knative-serving", "app=activator")
    local = scaled.service_address(node, "istio-system", "knative-local-gateway")
    public = scaled.service_address(node, scaled.OWNER, revision)
    private = scaled.service_address(node, scaled.OWNER, f"{revision}-private")
    probing = {**claims, "K-Network-Probe": "probe", "K-Network-Hash": "override"}
    found: dict[str, t.Any] = {
        _PROBE: (gateway, 8082, probing),
        "the probes' port": (gateway, 8082, claims),
        "the gateway": (gateway, 8081, claims),
        "the gateway's Service": (local, 80, claims),
        "the activator": (activator, 8012, claims),
        "the activator's HTTP/2 port": (activator, 8013, claims),
        "the revision's Service": (public, 80, claims),
        "the pods' Service": (private, 80, claims),
    }
    for pod in scaled.pods(node):
        address = pod["status"]["podIP"]
        for port in (8012, 8013, 8022, 8080):
            found[f"port {port} of {pod['metadata']['name']}"] = (address, port, claims)
    return found


def attack(node: OwnNode, name: str, *, mesh: bool) -> dict[str, tuple[int, str]]:
    """Try every way from a pod of another tenant; the statuses and answers that it got."""
    given = {
        "ATTEMPTS": json.dumps(attempts(node)),
        "PATH": _PREDICT,
        "BODY": json.dumps(_INSTANCES),
    }
    code = "".join(f"{key} = {value!r}\n" for key, value in given.items()) + _ATTACK
    answers = scaled.run(node, name, code, mesh=mesh)
    return {way: (status, said) for way, (status, said) in answers.items()}


@pytest.mark.parametrize("mesh", [False, True], ids=["without-identity", "with-an-identity"])
def test_another_tenants_pod_cannot_wake_the_model(node: OwnNode, *, mesh: bool) -> None:
    scaled.wait_for_zero(node)
    answers = attack(node, f"wake-{str(mesh).lower()}", mesh=mesh)
    refused(answers, mesh=mesh)
    # Knative decides every two seconds, and the pod that asked took longer to go.
    assert scaled.pods(node) == []


@pytest.mark.parametrize("mesh", [False, True], ids=["without-identity", "with-an-identity"])
def test_another_tenants_pod_cannot_ask_the_model(
    node: OwnNode, platform: Platform, token: str, *, mesh: bool
) -> None:
    over = threading.Event()

    def keep_awake() -> None:
        while not over.is_set():
            assert ask(platform, token) == 200

    with ThreadPoolExecutor(1) as pool:
        assert ask(platform, token) == 200
        awake = pool.submit(keep_awake)
        try:
            answers = attack(node, f"ask-{str(mesh).lower()}", mesh=mesh)
        finally:
            over.set()
        awake.result()
    assert any(name.startswith("port 8012 of") for name in answers)
    refused(answers, mesh=mesh)


def refused(answers: dict[str, tuple[int, str]], *, mesh: bool) -> None:
    """No way led to the model, and the pod that tried could reach what it was to reach."""
    probed, _ = answers.pop(_PROBE)
    if not mesh:
        # Nothing but identities is in its way: of what anybody may ask, it gets an answer.
        assert probed == 200
    assert {way: said for way, said in answers.items() if said[0] == 200} == {}
    assert not any("predictions" in said for _, said in answers.values())


@pytest.fixture(scope="module")
def versions(node: OwnNode, platform: Platform, token: str) -> Versions:
    return Versions(node, platform, token)


def test_a_second_run_changes_nothing(node: OwnNode) -> None:
    assert node.play("site.yml") == 0


def test_a_canary_gets_its_share_and_its_start_fails_nobody(versions: Versions) -> None:
    answers = versions.become("1", "2", canary={"version": "2", "weight": 20})
    assert answers.keys() <= {"1", "2"}, answers
    found = versions.answers(_REQUESTS)
    assert found.total() == found["1"] + found["2"], found
    assert chance(found["2"], _REQUESTS, 0.2) > LEAST_LIKELY, found


def test_both_versions_come_back_from_zero(node: OwnNode, versions: Versions) -> None:
    scaled.wait_for_zero(node)
    found = versions.answers(_REQUESTS)
    assert found.keys() == {"1", "2"}, found


def test_a_canary_that_is_taken_back_leaves_no_request_behind(versions: Versions) -> None:
    answers = versions.become("1")
    assert answers.keys() <= {"1", "2"}, answers
    # Its share until then, and from then on none: nor everything while the stable version's new revision starts.
    hits, total = answers["2"], answers.total()
    assert hits <= total * 0.2 or chance(hits, total, 0.2) > LEAST_LIKELY, answers
    assert versions.answers(_AFTER).keys() == {"1"}


def test_a_canary_gets_everything_and_is_promoted(versions: Versions) -> None:
    answers = versions.become("1", "2", canary={"version": "2", "weight": 100})
    assert answers.keys() <= {"1", "2"}, answers
    assert versions.answers(_AFTER).keys() == {"2"}
    answers = versions.become("2")
    assert answers.keys() == {"2"}, answers


def test_a_canary_after_a_promotion_shares_with_the_version_promoted(versions: Versions) -> None:
    answers = versions.become("2", "3", canary={"version": "3", "weight": 20})
    assert answers.keys() <= {"2", "3"}, answers
    found = versions.answers(_REQUESTS)
    assert found.total() == found["2"] + found["3"], found
    assert chance(found["3"], _REQUESTS, 0.2) > LEAST_LIKELY, found
