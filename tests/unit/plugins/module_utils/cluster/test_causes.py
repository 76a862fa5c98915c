# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What pods say about why they do not run."""

from __future__ import annotations

import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import causes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import Key

from .fake_server import Server, status

Pod = dict[str, t.Any]


def pod(*containers: Pod, **more: t.Any) -> Pod:
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": list(containers), **more}}


def waiting(reason: str, message: str = "", **more: t.Any) -> Pod:
    return {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(**more: t.Any) -> Pod:
    terminated = {"exitCode": 1, "reason": "Error", "message": "Copying\nForbidden\n"}
    return {"name": "main", "lastState": {"terminated": terminated}, **more}


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (pod({"name": "main", "state": {"running": {}}}), ""),
        (pod(waiting("ContainerCreating")), ""),
        (
            pod(waiting("ErrImagePull", "not found")),
            "container main ErrImagePull: not found (the image",
        ),
        (
            pod(
                waiting(
                    "CrashLoopBackOff",
                    lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                )
            ),
            "container main CrashLoopBackOff, exit code 137 OOMKilled (the program ends",
        ),
        (
            pod(
                waiting(
                    "CrashLoopBackOff",
                    "back-off 10s restarting failed container",
                    lastState={
                        "terminated": {
                            "exitCode": 1,
                            "reason": "Error",
                            "message": "Copying contents\nS3 error [403]: Forbidden\n",
                        }
                    },
                )
            ),
            "container main CrashLoopBackOff, exit code 1 Error: S3 error [403]: Forbidden (the",
        ),
        # It runs once more, or is about to.
        (
            pod(ended(state={"running": {}}, ready=False)),
            "container main ended, exit code 1 Error: Forbidden (read its log",
        ),
        (
            pod({"name": "main", "state": ended()["lastState"], "ready": False}),
            "container main ended, exit code 1 Error: Forbidden (read its log",
        ),
        (pod(ended(state={"running": {}}, ready=True)), ""),
        (
            pod({"name": "main", "state": {"terminated": {"exitCode": 0}}, "ready": True}),
            "",
        ),
        (
            pod(
                conditions=[
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes: 1 Insufficient nvidia.com/gpu",
                    }
                ]
            ),
            "Unschedulable: 0/1 nodes: 1 Insufficient nvidia.com/gpu (no node takes it: let it ask for less",
        ),
        # It is under pressure, or was started a moment ago.
        (
            pod(
                conditions=[
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes: 1 node(s) had untolerated taint(s)",
                    }
                ]
            ),
            "Unschedulable: 0/1 nodes: 1 node(s) had untolerated taint(s)",
        ),
        (
            pod(
                {"name": "main", "state": {"running": {}}},
                phase="Running",
                conditions=[
                    {"type": "Ready", "reason": "ContainersNotReady", "message": "unready: [main]"}
                ],
            ),
            "unready: [main] (they run, and do not say that they are ready",
        ),
        (
            {
                "metadata": {"name": "p"},
                "status": {"initContainerStatuses": [waiting("CreateContainerConfigError")]},
            },
            "container main CreateContainerConfigError (a ConfigMap or Secret",
        ),
    ],
)
def test_a_pod_says_what_it_lacks(one: Pod, text: str) -> None:
    cause = causes.of_pod(one)
    assert cause.text.startswith(text)
    assert bool(text) is bool(cause.text) is bool(cause.reason)
    assert cause.no_room is ("Insufficient" in text)


def test_pods_are_found_by_the_workloads_own_selector() -> None:
    server = Server(lambda _: httpx.Response(200, json={"items": [pod(waiting("ErrImagePull"))]}))
    deployment = Key("apps", "Deployment", "n", "d")
    live = {"spec": {"selector": {"matchLabels": {"app": "d"}}}}
    assert causes.of_workload(server.api, deployment, live).text.startswith("pod p: container")
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    assert causes.of_workload(server.api, service, {}).reason == "ErrImagePull"
    selectors = [request.url.params["labelSelector"] for request in server.requests]
    assert selectors == ["app=d", "serving.kserve.io/inferenceservice=iris"]
    assert causes.of_workload(server.api, Key("", "ConfigMap", "n", "c"), {}).text == ""
    assert len(server.requests) == 2


def test_a_pod_that_cannot_run_says_more_than_one_that_is_not_ready_yet() -> None:
    unready = pod(
        phase="Running", conditions=[{"reason": "ContainersNotReady", "message": "unready"}]
    )
    leaving = pod(waiting("ErrImagePull"))
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    gone = pod(waiting("ErrImagePull"), phase="Failed")
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")

    def reason(*pods: Pod) -> str:
        server = Server(lambda _: httpx.Response(200, json={"items": list(pods)}))
        return causes.of_workload(server.api, service, {}).reason

    assert reason(leaving, gone, unready, pod(waiting("CrashLoopBackOff"))) == "CrashLoopBackOff"
    again = pod(ended(state={"running": {}}, ready=False))
    assert reason(again, pod(waiting("ErrImagePull"))) == "ErrImagePull"
    assert reason(unready, again) == "ended"
    assert reason(leaving, gone, unready) == "ContainersNotReady"


def test_who_may_not_read_pods_gets_no_second_error() -> None:
    server = Server(lambda _: status(403, "pods is forbidden"))
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    assert causes.of_workload(server.api, service, {}).text == ""


def test_a_models_pods_that_a_quota_refuses_are_told_by_their_deployment() -> None:
    refused = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota: tenant",
    }
    deployment = {"metadata": {"name": "d"}, "status": {"conditions": [refused]}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": [] if _are_pods(request) else [deployment]})

    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    cause = causes.of_workload(Server(answer).api, service, {})
    assert cause.text == "FailedCreate: exceeded quota: tenant"
    assert not cause.no_room


def placed(phase: str = "Running", restart: str = "Always", **metadata: t.Any) -> Pod:
    spec = {"nodeName": "node", "restartPolicy": restart}
    return {"metadata": {"name": "p", **metadata}, "spec": spec, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("one", "comes"),
    [
        (placed(), False),
        (placed(deletionTimestamp="2026-01-01T00:00:00Z"), True),
        (placed(restart="Never"), True),
        (placed("Succeeded", "Never"), False),
        # It holds nothing yet.
        ({"metadata": {"name": "p"}, "spec": {"restartPolicy": "Never"}, "status": {}}, False),
    ],
)
def test_room_comes_from_pods_that_end(one: Pod, comes: bool) -> None:
    server = Server(lambda _: httpx.Response(200, json={"items": [placed(), one]}))
    assert causes.room_may_come(server.api) is comes
    assert server.asked("GET") == ["/api/v1/pods"]


def test_who_may_not_see_all_pods_gives_up_no_hope() -> None:
    assert causes.room_may_come(Server(lambda _: status(403, "pods is forbidden")).api)


def labelled(ready: str, component: str = "", **metadata: t.Any) -> Pod:
    return {
        "metadata": {"name": f"p-{component}", "labels": {"component": component}, **metadata},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ([], ""),
        ([labelled("True", "predictor")], ""),
        ([labelled("False", "predictor"), labelled("True", "predictor")], ""),
        ([labelled("False", "predictor")], "none of its pods is ready"),
        (
            [labelled("True", "predictor"), labelled("False", "transformer")],
            "none of its pods is ready",
        ),
        ([labelled("False", deletionTimestamp="2026-01-01T00:00:00Z")], ""),
        ([{"metadata": {"name": "p"}, "status": {"phase": "Succeeded"}}], ""),
    ],
)
def test_a_workload_is_as_ready_as_its_pods(pods: list[Pod], reason: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": pods if _are_pods(request) else []})

    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    assert causes.of_unfinished(Server(answer).api, service, {}) == reason


def _are_pods(request: httpx.Request) -> bool:
    return request.url.path == "/api/v1/namespaces/n/pods"


@pytest.mark.parametrize(
    ("replicas", "status", "reason"),
    [
        (
            3,
            {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 1},
            "",
        ),
        (0, {"observedGeneration": 2}, ""),
        # A canary, say, beside a stable version that is ready.
        (
            1,
            {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1},
            "Deployment iris-predictor: no replica is available",
        ),
        (
            1,
            {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1},
            "Deployment iris-predictor: 1 of 2 replicas are of the new version",
        ),
        (1, {"observedGeneration": 1}, "Deployment iris-predictor is about to be changed"),
    ],
)
def test_a_model_is_as_new_as_its_replicas(
    replicas: int, status: dict[str, int], reason: str
) -> None:
    """KServe calls it ready while the old version answers and the new one cannot start."""
    metadata = {"name": "iris-predictor", "generation": 2}
    deployment = {"metadata": metadata, "spec": {"replicas": replicas}, "status": status}

    def answer(request: httpx.Request) -> httpx.Response:
        found = [labelled("True", "predictor")] if _are_pods(request) else [deployment]
        return httpx.Response(200, json={"items": found})

    server = Server(answer)
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    assert causes.of_unfinished(server.api, service, {}) == reason
    selectors = {request.url.params["labelSelector"] for request in server.requests}
    assert selectors == {"serving.kserve.io/inferenceservice=iris"}


def digested(name: str, digest: str) -> Pod:
    return {"metadata": {"name": name, "annotations": {"inferencebox.io/digest": digest}}}


@pytest.mark.parametrize(
    ("deployments", "reason"),
    [
        ([digested("iris-predictor", "new"), digested("iris-canary", "trial")], ""),
        (
            [digested("iris-predictor", "old"), digested("iris-canary", "trial")],
            "KServe has not changed its Deployments to this version yet",
        ),
        (
            [digested("iris-predictor", "new")],
            "KServe has not changed its Deployments to this version yet",
        ),
        (
            [*(digested(n, n) for n in ("new", "trial")), digested("gone", "gone")],
            "KServe has not removed Deployment gone yet",
        ),
        # Who may not read them believes the model.
        ([], ""),
    ],
)
def test_a_model_is_as_new_as_its_deployments(deployments: list[Pod], reason: str) -> None:
    """KServe's own generation is a Deployment's: it changes when nothing did, and does not when a canary leaves."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = [labelled("True", "predictor")] if _are_pods(request) else deployments
        return httpx.Response(200, json={"items": found})

    live = {
        "spec": {
            "predictor": {"annotations": {"inferencebox.io/digest": "new"}},
            "canary": [{"predictor": {"annotations": {"inferencebox.io/digest": "trial"}}}],
        }
    }
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    assert causes.of_unfinished(Server(answer).api, service, live) == reason


def test_a_model_in_mode_knative_is_as_new_as_knatives_service() -> None:
    """Deployments of older revisions stay, and are no matter."""
    older = {**digested("iris-predictor-00001-deployment", "old"), "spec": {"replicas": 1}}
    newer: Pod = {"spec": {"template": {"metadata": {"annotations": {}}}}, "metadata": {}}

    def answer(request: httpx.Request) -> httpx.Response:
        if _are_pods(request):
            return httpx.Response(200, json={"items": []})
        knative = request.url.path == "/apis/serving.knative.dev/v1/namespaces/n/services"
        return httpx.Response(200, json={"items": [newer if knative else older]})

    live = {
        "spec": {"predictor": {"annotations": {"inferencebox.io/digest": "new"}}},
        "status": {"deploymentMode": "Knative"},
    }
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    reason = causes.of_unfinished(Server(answer).api, service, live)
    assert reason == "KServe has not changed Knative's Service to this version yet"


def test_who_may_not_read_pods_believes_the_workload() -> None:
    server = Server(lambda _: status(403, "pods is forbidden"))
    service = Key("serving.kserve.io", "InferenceService", "n", "iris")
    assert causes.of_unfinished(server.api, service, {}) == ""
