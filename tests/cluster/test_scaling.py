# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What real controllers make of models that go to zero: Knative's and the project's own, and KEDA's."""

from __future__ import annotations

import copy
import os
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load

from inferencebox.programs.building import TOOLS
from tests.cluster import controlled, steps
from tests.cluster.components import proxies
from tests.cluster.node.requests import Requests
from tests.cluster.node.sandbox import Program
from tests.cluster.test_reconciled import conditions

KNATIVE = pytest.mark.proves("L2", "knative")
KEDA = pytest.mark.proves("L2", "keda")

_SECONDS = 120.0
_READY_SECONDS = 300.0
_INVENTORY: dict[str, t.Any] = {
    "platform_name": "serverless",
    "platform_target": "kubernetes",
    "platform_domain": "inference.example.org",
    "platform_bundle": "/srv/bundle",
    "platform_images": {"registry": "localhost/inferencebox", "source": "built"},
    "platform_cluster": {"provider": "node", "service_type": "NodePort", "provided": ["keda"]},
    "platform_engine": {"gateway": "standalone"},
    "platform_gateway": {"address": "10.98.0.2", "https_port": 30443},
    "tenants": [
        {
            "name": "tenant-a",
            "models": {"allow": ["iris", "wine"]},
            "resources": {"cpu": "4", "memory": "8Gi", "pods": 6},
        }
    ],
    "models": [
        {
            "name": "iris",
            "tenant": "tenant-a",
            "framework": "sklearn",
            "source": "python://inferencebox_samples/iris",
            "serving": {
                "mode": "knative",
                "replicas": {"min": 0, "max": 2},
                "idle_seconds": 60,
                "resources": {"cpu": "500m", "memory": "1Gi"},
            },
        },
        {
            "name": "wine",
            "tenant": "tenant-a",
            "framework": "lightgbm",
            "source": "python://inferencebox_samples/wine",
            "serving": {
                "replicas": {"min": 0, "max": 3},
                "target_concurrency": 4,
                "idle_seconds": 90,
                "resources": {"cpu": "500m", "memory": "1Gi"},
            },
        },
    ],
}
_ROOT = "/apis/serving.knative.dev/v1/namespaces/tenant-a"
_INGRESSES = "/apis/networking.internal.knative.dev/v1alpha1/namespaces/tenant-a/ingresses"
_ROUTES = "/apis/networking.istio.io/v1/namespaces/tenant-a/virtualservices"


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """Of a cluster on which the models were applied, and waited for as an installation does."""
    if lacking := controlled.missing() or proxies.missing():
        pytest.skip(lacking)
    # Nothing is fetched: the server in place of the model's has no use for files.
    nothing = tmp_path_factory.mktemp("programs") / "python"
    nothing.write_text("#!/bin/sh\n")
    nothing.chmod(0o755)
    place = "/programs/echo_model.py"
    echo = {
        place: Path(__file__).with_name("echo_model.py"),
        "/usr/local/bin/python": nothing,
    }
    programs = {**proxies.programs(), "runtime": Program(echo, ("/usr/bin/python3", place))}
    components = ("istio", "knative", "keda", "kserve")
    with controlled.ControlledCluster(
        components, inventory=_INVENTORY, programs=programs
    ) as cluster:
        model = load(_INVENTORY)
        platform = steps.Platform(model.name, cluster.kubeconfig)
        parts = ("system", "tenants", "mesh", "routes", "models")
        objects = [one for part in parts for one in kubernetes.objects(model, part)]
        # Which gets ready with a Prometheus that answers, and there is none.
        scaled = [one for one in objects if one["kind"] == "ScaledObject"]
        others = [one for one in objects if one["kind"] != "ScaledObject"]
        for some, seconds in ((others, _READY_SECONDS), (scaled, 0)):
            report = platform.apply(some, wait_timeout=seconds)
            assert not report.problem, f"{report.problem} {cluster.node.errors}"
        yield cluster.kubeconfig


@pytest.fixture(scope="module")
def api(kubeconfig: str) -> Requests:
    """What asks that cluster."""
    return Requests.to(kubeconfig)


@KNATIVE
def test_a_model_in_mode_knative_is_ready_down_to_its_route(api: Requests) -> None:
    for kind in ("services", "configurations", "routes"):
        found = api.get(f"{_ROOT}/{kind}/iris-predictor")
        assert conditions(found["status"])["Ready"] == "True"
    ingress = api.get(f"{_INGRESSES}/iris-predictor")
    assert conditions(ingress["status"]) == dict.fromkeys(
        ("LoadBalancerReady", "NetworkConfigured", "Ready"), "True"
    )
    assert ingress["status"]["observedGeneration"] == ingress["metadata"]["generation"]
    served = api.get("/apis/serving.kserve.io/v1beta1/namespaces/tenant-a/inferenceservices/iris")
    assert conditions(served["status"])["Ready"] == "True"


@KNATIVE
def test_the_revision_scales_as_the_inventory_says(api: Requests) -> None:
    (revision,) = api.items(f"{_ROOT}/revisions")
    annotations = revision["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/window"] == "60s"
    assert annotations["autoscaling.knative.dev/max-scale"] == "2"
    assert annotations["autoscaling.knative.dev/min-scale"] == "0"
    assert annotations["autoscaling.knative.dev/metric"] == "concurrency"


@KNATIVE
def test_the_route_leads_to_the_revision_and_from_the_local_gateway_alone(api: Requests) -> None:
    (revision,) = api.items(f"{_ROOT}/revisions")
    route = api.get(f"{_ROUTES}/iris-predictor-ingress")
    owner = route["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("Ingress", "iris-predictor")
    spec = route["spec"]
    assert spec["gateways"] == ["knative-serving/knative-local-gateway"]
    assert spec["exportTo"] == ["istio-system"]
    host = "iris-predictor.tenant-a"
    assert set(spec["hosts"]) == {host, f"{host}.svc", f"{host}.svc.cluster.local"}
    for rule in spec["http"]:
        (to,) = rule["route"]
        name = revision["metadata"]["name"]
        assert to["destination"]["host"] == f"{name}.tenant-a.svc.cluster.local"
        assert to["headers"]["request"]["set"] == {
            "Knative-Serving-Namespace": "tenant-a",
            "Knative-Serving-Revision": name,
        }


@KNATIVE
def test_a_route_that_somebody_removed_comes_back(api: Requests) -> None:
    path = f"{_ROUTES}/iris-predictor-ingress"
    before = api.get(path)
    api.remove(path)
    deadline = time.monotonic() + _SECONDS
    while (found := api.find(path)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found["metadata"]["uid"] != before["metadata"]["uid"]
    assert found["spec"] == before["spec"]


@KNATIVE
def test_an_ingress_for_requests_from_outside_is_told_that_there_is_no_gateway(
    api: Requests,
) -> None:
    split = {"serviceName": "some", "serviceNamespace": "tenant-a", "servicePort": 80}
    rule = {
        "hosts": ["some.example.org"],
        "visibility": "ExternalIP",
        "http": {"paths": [{"splits": [{**split, "percent": 100}]}]},
    }
    made = {
        "apiVersion": "networking.internal.knative.dev/v1alpha1",
        "kind": "Ingress",
        "metadata": {
            "name": "outside",
            "annotations": {
                "networking.knative.dev/ingress.class": "inferencebox.ingress.networking.knative.dev"
            },
        },
        "spec": {"httpOption": "Enabled", "rules": [rule]},
    }
    api.create(_INGRESSES, made)
    deadline = time.monotonic() + _SECONDS
    while not (found := api.get(f"{_INGRESSES}/outside").get("status", {}).get("conditions")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (told,) = (one for one in found if one["type"] == "LoadBalancerReady")
    assert (told["status"], told["reason"]) == ("False", "Unsupported")
    assert "cluster-local" in told["message"]


def apply(kubeconfig: str, *, hold: bool = False, **changes: t.Any) -> bool:
    """Apply the model in mode knative with changes to it, and wait as an installation does.

    Returns:
        Whether something waits for a second round.
    """
    inventory = copy.deepcopy(_INVENTORY)
    inventory["models"][0].update(changes)
    model = load(inventory)
    objects = [one for one in kubernetes.objects(model, "models") if one["kind"] != "ScaledObject"]
    platform = steps.Platform(model.name, kubeconfig)
    report = platform.apply(objects, part="models", hold=hold, wait_timeout=_READY_SECONDS)
    assert not report.problem, report.problem
    return report.held_back


def shares(api: Requests) -> dict[str, int]:
    """What Knative's route gives each revision, by the version that it is of."""
    found: dict[str, int] = {}
    for target in api.get(f"{_ROOT}/routes/iris-predictor")["status"]["traffic"]:
        revision = api.get(f"{_ROOT}/revisions/{target['revisionName']}")
        version = revision["metadata"]["labels"]["inferencebox.io/version"]
        found[version] = found.get(version, 0) + target.get("percent", 0)
    return found


_SECOND = {"version": "2", "source": "python://inferencebox_samples/iris"}


@KNATIVE
def test_a_canary_has_its_share_when_it_was_waited_for(kubeconfig: str, api: Requests) -> None:
    for weight in (20, 50):
        canary = {"version": "2", "weight": weight}
        assert not apply(kubeconfig, hold=True, versions=[_SECOND], traffic={"canary": canary})
        assert shares(api) == {"1": 100 - weight, "2": weight}


@KNATIVE
def test_a_canary_that_is_taken_back_gets_nothing_meanwhile(kubeconfig: str, api: Requests) -> None:
    assert apply(kubeconfig, hold=True)
    assert shares(api) == {"1": 100}
    (newest,) = (
        one["revisionName"]
        for one in api.get(f"{_ROOT}/routes/iris-predictor")["status"]["traffic"]
        if one["latestRevision"]
    )
    assert not apply(kubeconfig)
    found = api.get(f"{_ROOT}/routes/iris-predictor")["status"]["traffic"]
    assert [(one["revisionName"], one["percent"]) for one in found] == [(newest, 100)]


@KNATIVE
def test_a_canary_is_promoted_without_another_revision(kubeconfig: str, api: Requests) -> None:
    apply(kubeconfig, versions=[_SECOND], traffic={"canary": {"version": "2", "weight": 100}})
    assert shares(api) == {"2": 100}
    before = len(api.items(f"{_ROOT}/revisions"))
    assert not apply(kubeconfig, hold=True, **_SECOND)
    assert shares(api) == {"2": 100}
    assert len(api.items(f"{_ROOT}/revisions")) == before


@KNATIVE
def test_the_controllers_own_tests_pass() -> None:
    done = subprocess.run(
        # As the program was built, so that all that it consists of is there.
        ["go", "test", "-trimpath", "-mod=readonly", "-buildvcs=false", "-vet=off", "./..."],
        cwd=TOOLS / "knative-ingress",
        env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- KEDA --------------------------------------------------------------------------------------------------


@KEDA
def test_keda_scales_the_deployment_that_kserve_made(api: Requests) -> None:
    path = "/apis/keda.sh/v1alpha1/namespaces/tenant-a/scaledobjects/model-wine"
    hpas = "/apis/autoscaling/v2/namespaces/tenant-a/horizontalpodautoscalers"
    deadline = time.monotonic() + _SECONDS
    # KServe makes none beside it.
    while len(found := api.items(hpas)) != 1 or "hpaName" not in api.get(path)["status"]:
        assert time.monotonic() < deadline, (found, api.get(path))
        time.sleep(0.2)
    (hpa,) = found
    status = api.get(path)["status"]
    assert status["scaleTargetGVKR"]["kind"] == "Deployment"
    assert hpa["metadata"]["name"] == status["hpaName"]
    assert hpa["spec"]["scaleTargetRef"]["name"] == "wine-predictor"
    # To zero and from it, KEDA scales itself.
    assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (1, 3)
    (metric,) = hpa["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == status["externalMetricNames"][0]
    assert metric["external"]["target"]["averageValue"] == "4"


@KEDA
def test_without_prometheus_keda_says_so_and_leaves_the_replicas_alone(api: Requests) -> None:
    path = "/apis/keda.sh/v1alpha1/namespaces/tenant-a/scaledobjects/model-wine"
    deadline = time.monotonic() + _SECONDS
    while True:
        told = api.get(path).get("status", {}).get("conditions") or []
        found = {one["type"]: one for one in told}
        if found.get("Ready", {}).get("reason") == "TriggerError":
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    assert found["Ready"]["status"] == "False"
    deployment = api.get("/apis/apps/v1/namespaces/tenant-a/deployments/wine-predictor")
    assert deployment["spec"]["replicas"] == 1
