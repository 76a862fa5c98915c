# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the real controllers make of a platform's objects, and what their webhooks refuse."""

from __future__ import annotations

import copy
import json
import time
import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import connect
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import RefusedError

from tests.cluster.installed import Installed
from tests.cluster.proven import NAMESPACE
from tests.cluster.steps import Object

pytestmark = pytest.mark.proves("L2", "models", "tenants", "tier2", "apply")

_SECONDS = 120.0
GATEWAY_CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"


def conditions(holder: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Conditions by type."""
    return {one["type"]: one["status"] for one in holder.get("conditions") or []}


def path(kind: str, name: str, namespace: str) -> str:
    """Path of an object that a controller makes."""
    group = {"Deployment": "apps/v1", "HorizontalPodAutoscaler": "autoscaling/v2"}.get(kind)
    root = f"/apis/{group}" if group else "/api/v1"
    plural = f"{kind.lower()}s"
    return f"{root}/namespaces/{namespace}/{plural}/{name}"


# -- KServe ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "service", "replicas"),
    [
        ("tenant-a", "iris-predictor", 1),
        ("tenant-a", "iris-canary-predictor", 1),
        ("tenant-a", "iris-mirror-predictor", 2),
        ("tenant-b", "wine-predictor", 1),
        ("tenant-b", "forest-predictor", 1),
        ("tenant-b", "chatty-predictor", 1),
        ("tenant-b", "chatty-transformer", 1),
    ],
)
def test_a_version_gets_a_deployment_and_the_service_that_tier_2_sends_to(
    installed: Installed, namespace: str, service: str, replicas: int
) -> None:
    place = path("Deployment", service, namespace)
    deadline = time.monotonic() + _SECONDS
    # One that was available may have missed a probe on a busy machine.
    while installed.api.get(place)["status"].get("availableReplicas", 0) != replicas:
        assert time.monotonic() < deadline, installed.api.get(place)["status"]
        time.sleep(0.5)
    found = installed.api.get(path("Service", service, namespace))
    (port,) = (one for one in found["spec"]["ports"] if one["port"] == 80)
    # By its name the mesh knows that it carries HTTP.
    assert port["name"].startswith("http")


def test_an_inference_service_says_that_it_is_ready(installed: Installed) -> None:
    for name, namespace in (("iris", "tenant-a"), ("wine", "tenant-b"), ("chatty", "tenant-b")):
        found = installed.get("InferenceService", name, namespace)
        assert conditions(found["status"])["Ready"] == "True"


def test_kserve_makes_no_route_past_tier_2(installed: Installed) -> None:
    root = "/apis/gateway.networking.k8s.io/v1/httproutes"
    tenants = {"tenant-a", "tenant-b", "tenant-c"}
    assert [
        one for one in installed.api.items(root) if one["metadata"]["namespace"] in tenants
    ] == []


def test_what_scales_a_model_is_what_the_inventory_says(installed: Installed) -> None:
    found = installed.api.get(path("HorizontalPodAutoscaler", "wine-predictor", "tenant-b"))
    assert (found["spec"]["minReplicas"], found["spec"]["maxReplicas"]) == (1, 3)
    others = installed.api.items("/apis/autoscaling/v2/horizontalpodautoscalers")
    assert [
        one["metadata"]["name"] for one in others if "predictor" in one["metadata"]["name"]
    ] == ["wine-predictor"]


def test_pods_of_models_pass_the_restricted_policy_with_their_sidecars(
    installed: Installed,
) -> None:
    """Pod Security and the quota have let them in, with what KServe and Istio put in."""
    pods = installed.pods("tenant-a", "serving.kserve.io/inferenceservice=iris")
    assert pods
    for pod in pods:
        assert pod["spec"]["serviceAccountName"] == "models"
        names = {
            one["name"] for one in [*pod["spec"]["containers"], *pod["spec"]["initContainers"]]
        }
        assert {"kserve-container", "istio-proxy", "storage-initializer"} <= names


# -- Envoy Gateway -----------------------------------------------------------------------------------------


@pytest.mark.proves("L2", "tier1")
def test_tier_1_is_accepted_and_programmed(installed: Installed) -> None:
    gateway = installed.get("Gateway", "tier1")
    found = conditions(gateway["status"])
    assert (found["Accepted"], found["Programmed"]) == ("True", "True")
    (listener,) = gateway["status"]["listeners"]
    assert conditions(listener)["ResolvedRefs"] == "True"
    name = next(
        one["metadata"]["name"] for one in installed.objects if one["kind"] == "GatewayClass"
    )
    taken = installed.get("GatewayClass", name, "")
    assert conditions(taken["status"])["Accepted"] == "True"
    # Its controller may write to it, although tenants may not write to such kinds.
    assert taken["metadata"]["finalizers"]


@pytest.mark.proves("L2", "tier1")
def test_routes_of_tier_1_are_accepted_with_their_backends(installed: Installed) -> None:
    routes = [one for one in installed.objects if one["kind"] == "HTTPRoute"]
    assert routes
    for one in routes:
        live = installed.get("HTTPRoute", one["metadata"]["name"])
        (parent,) = live["status"]["parents"]
        assert parent["controllerName"] == GATEWAY_CONTROLLER
        found = conditions(parent)
        assert (found["Accepted"], found["ResolvedRefs"]) == ("True", "True"), parent


@pytest.mark.proves("L2", "tier1")
@pytest.mark.parametrize("kind", ["ClientTrafficPolicy", "SecurityPolicy", "BackendTrafficPolicy"])
def test_policies_of_tier_1_are_accepted_and_in_nobodys_way(
    installed: Installed, kind: str
) -> None:
    policies = [one for one in installed.objects if one["kind"] == kind]
    assert policies
    for one in policies:
        live = installed.get(kind, one["metadata"]["name"])
        for ancestor in live["status"]["ancestors"]:
            found = conditions(ancestor)
            # Of one that is merged into the Gateway's, the Gateway says that alone.
            assert found.get("Accepted", found.get("Merged")) == "True", ancestor
            assert found.get("Conflicted", "False") == "False"


@pytest.mark.proves("L2", "tier1")
def test_backends_of_tier_1_are_accepted(installed: Installed) -> None:
    for one in installed.controlled:
        if one["kind"] == "Backend":
            live = installed.get("Backend", one["metadata"]["name"])
            assert conditions(live["status"])["Accepted"] == "True"


# -- the AI Gateway ----------------------------------------------------------------------------------------

_AI = pytest.mark.proves("L2", "tier1-ai")
_PROXIES = "gateway.envoyproxy.io/owning-gateway-name=tier1"
_READER = "ai-gateway-extproc"


@_AI
@pytest.mark.parametrize("kind", ["AIGatewayRoute", "AIServiceBackend", "BackendSecurityPolicy"])
def test_what_speaks_of_models_is_accepted(installed: Installed, kind: str) -> None:
    some = [one for one in installed.objects if one["kind"] == kind]
    assert some
    for one in some:
        live = installed.get(kind, one["metadata"]["name"])
        assert conditions(live["status"]) == {"Accepted": "True"}, live["status"]


@_AI
def test_a_route_of_models_becomes_one_that_envoy_gateway_programs(installed: Installed) -> None:
    """Each rule matches its model alone and leads to its backends; what no rule has ends at a filter that answers 404."""
    routes = [one for one in installed.objects if one["kind"] == "AIGatewayRoute"]
    assert {one["metadata"]["name"] for one in routes} == {"models-0", "fallback-0"}
    root = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes"
    for one in routes:
        live = installed.api.get(f"{root}/{one['metadata']['name']}")
        (parent,) = live["status"]["parents"]
        assert parent["controllerName"] == GATEWAY_CONTROLLER
        found = conditions(parent)
        assert (found["Accepted"], found["ResolvedRefs"]) == ("True", "True"), parent
        *rules, last = live["spec"]["rules"]
        assert [
            [match["headers"] for match in rule["matches"]] for rule in one["spec"]["rules"]
        ] == [[match["headers"] for match in rule["matches"]] for rule in rules]
        assert [
            [backend["name"] for backend in rule["backendRefs"]] for rule in one["spec"]["rules"]
        ] == [[backend["name"] for backend in rule["backendRefs"]] for rule in rules]
        (answer,) = last["filters"]
        place = root.replace("gateway.networking.k8s.io/v1", "gateway.envoyproxy.io/v1alpha1")
        made = installed.api.get(
            f"{place.replace('httproutes', 'httproutefilters')}/{answer['extensionRef']['name']}"
        )
        assert made["spec"]["directResponse"]["statusCode"] == 404


def proxies(installed: Installed) -> list[Object]:
    """Pods of tier 1's two Envoys, once those of before there was anything to put beside them are replaced."""
    deadline = time.monotonic() + _SECONDS
    while True:
        found = [
            pod
            for pod in installed.pods("envoy-gateway-system", _PROXIES)
            if not pod["metadata"].get("deletionTimestamp")
        ]
        replaced = all(
            any(one["name"] == _READER for one in pod["spec"].get("initContainers", []))
            and conditions(pod["status"]).get("Ready") == "True"
            for pod in found
        )
        if replaced and len(found) == 2:
            return found
        assert time.monotonic() < deadline, [pod["status"] for pod in found]
        time.sleep(0.5)


@_AI
def test_each_proxy_has_what_reads_bodies_beside_it(installed: Installed) -> None:
    """By the webhook; Envoy reaches it through a socket that the two share."""
    for pod in proxies(installed):
        (beside,) = (one for one in pod["spec"]["initContainers"] if one["name"] == _READER)
        (envoy,) = (one for one in pod["spec"]["containers"] if one["name"] == "envoy")
        shared = {one["name"] for one in beside["volumeMounts"]} & {
            one["name"] for one in envoy["volumeMounts"]
        }
        assert "ai-gateway-extproc-uds" in shared


@_AI
def test_the_proxies_know_who_asks_before_they_read_what(installed: Installed) -> None:
    """Identity, the model from the body, authorization, limits: in that order, as the real Envoy was told."""
    if installed.missing_proxies:
        pytest.skip(installed.missing_proxies)
    for pod in proxies(installed):
        text = installed.inside(
            pod, "http://127.0.0.1:19000/config_dump?resource=dynamic_listeners"
        )
        names = [
            one["name"]
            for manager in _found(json.loads(text), "http_filters")
            for one in manager
            if one["name"] != "envoy.filters.http.router"
        ]
        order = [
            next(place for place, name in enumerate(names) if part in name)
            for part in ("jwt_authn", "aigateway", "rbac", "ratelimit")
        ]
        assert order == sorted(order), names
        # Answers are worded behind identity, too.
        worded = [place for place, name in enumerate(names) if "custom_response" in name]
        assert worded, names
        assert order[0] < min(worded), names


def _found(value: t.Any, key: str) -> t.Iterator[t.Any]:
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for each in value.values():
            yield from _found(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _found(each, key)


def test_the_edge_gets_the_node_port_of_the_inventory(installed: Installed) -> None:
    selector = "gateway.envoyproxy.io/owning-gateway-name=tier1"
    services = installed.api.items(
        "/api/v1/namespaces/envoy-gateway-system/services", labelSelector=selector
    )
    assert [(one["port"], one["nodePort"]) for one in services[0]["spec"]["ports"]] == [
        (443, 30443)
    ]


# -- what webhooks refuse ----------------------------------------------------------------------------------


def _changed(one: Object, at: str, put: t.Any) -> Object:
    copied = copy.deepcopy(one)
    copied["metadata"]["name"] += "-wrong"
    *steps, last = at.split(".")
    place: t.Any = copied
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[last] = put
    return copied


_WRONG: tuple[tuple[str, str, str, t.Any, str], ...] = (
    ("InferenceService", "wine", "spec.predictor.minReplicas", 9, "MinReplicas"),
    ("InferenceService", "wine", "spec.predictor.containerConcurrency", -1, "less than 0"),
    ("InferenceService", "wine", "spec.predictor.scaleTarget", -5, "[1-100] integer"),
    ("InferenceService", "wine", "metadata.name", "1-wine", "1-wine"),
    ("InferenceService", "iris", "spec.canary.0.predictor.maxReplicas", 2, "must not set"),
    ("VirtualService", "forest", "spec.http.0.route.0.weight", -1, "weight"),
    ("VirtualService", "forest", "spec.http.0.route.0.destination.port.number", 70000, "port"),
    ("VirtualService", "forest", "spec.http.0.retries.retryOn", "some", "retryOn policy"),
    ("VirtualService", "forest", "spec.http.0.match", [{"headers": {"": {}}}], "empty"),
    (
        "DestinationRule",
        "forest-predictor",
        "spec.trafficPolicy.outlierDetection.maxEjectionPercent",
        101,
        "percent",
    ),
    (
        "DestinationRule",
        "forest-predictor",
        "spec.trafficPolicy.connectionPool.http.http2MaxRequests",
        -1,
        "non-negative",
    ),
    ("DestinationRule", "forest-predictor", "spec.trafficPolicy.tls", {"mode": "MUTUAL"}, "key"),
    ("DestinationRule", "forest-predictor", "spec.subsets", [{"name": "a"}] * 2, "duplicate"),
    ("Sidecar", "default", "spec.egress", [{"hosts": ["nowhere"]}], "namespace/dnsName"),
    ("AuthorizationPolicy", "tier2", "spec.rules.0.when.0.key", "request.some", "attribute"),
    ("Gateway", "tier2", "spec.servers.0.tls", {"mode": "MUTUAL"}, "server certificate"),
    ("ServiceEntry", "storage", "spec.ports.0.protocol", "some", "unsupported protocol"),
)


@pytest.mark.parametrize(("kind", "name", "at", "put", "says"), _WRONG)
def test_a_webhook_refuses(
    installed: Installed, kind: str, name: str, at: str, put: t.Any, says: str
) -> None:
    """What no definition of a kind finds, its controller's webhook does, reached as in any cluster."""
    one = next(
        each
        for each in installed.objects
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    wrong = _changed(one, at, put)
    with connect(installed.cluster.kubeconfig) as api:
        resource = Resources.of(api).find(one["apiVersion"], kind)
        assert resource is not None
        where = resource.path(wrong["metadata"]["namespace"], wrong["metadata"]["name"])
        with pytest.raises(RefusedError) as refused:
            api.apply(where, wrong, "tests", dry_run=True, force=False)
    assert "admission webhook" in str(refused.value)
    assert says in str(refused.value)
