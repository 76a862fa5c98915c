# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When objects are ready, one table a family of kinds; statuses as their controllers write them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.readiness import (
    State,
    assess,
    is_awaited,
)

Live = dict[str, t.Any]
GATEWAY = "gateway.networking.k8s.io"
ENVOY = "gateway.envoyproxy.io"
AI = "aigateway.envoyproxy.io"
KSERVE = "serving.kserve.io"
GENERATION = 3


def condition(kind: str, status: str = "True", reason: str = "", **more: t.Any) -> Live:
    return {"type": kind, "status": status, "reason": reason, **more}


def live(spec: Live | None = None, **status: t.Any) -> Live:
    return {"metadata": {"generation": GENERATION}, "spec": spec or {}, "status": status}


def conditions(*found: Live, **status: t.Any) -> Live:
    return live(None, conditions=list(found), **status)


READY_CASES = [
    ("", "Namespace", live(phase="Active")),
    ("", "ResourceQuota", live({"hard": {"pods": "1"}}, hard={"pods": "1"})),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        conditions(condition("NamesAccepted"), condition("Established")),
    ),
    (
        "apps",
        "Deployment",
        live(
            {"replicas": 2},
            observedGeneration=GENERATION,
            replicas=2,
            updatedReplicas=2,
            availableReplicas=2,
        ),
    ),
    ("apps", "Deployment", live({"replicas": 0}, observedGeneration=GENERATION)),
    ("apps", "StatefulSet", live({"replicas": 1}, readyReplicas=1, updatedReplicas=1)),
    (
        "apps",
        "DaemonSet",
        live(None, desiredNumberScheduled=1, updatedNumberScheduled=1, numberAvailable=1),
    ),
    ("batch", "Job", conditions(condition("Complete"))),
    (GATEWAY, "GatewayClass", conditions(condition("Accepted"))),
    (
        GATEWAY,
        "Gateway",
        conditions(
            condition("Accepted"),
            condition("Programmed"),
            listeners=[{"name": "https", "conditions": [condition("ResolvedRefs")]}],
        ),
    ),
    (
        GATEWAY,
        "HTTPRoute",
        live(
            {"parentRefs": [{"name": "edge"}]},
            parents=[
                {
                    "parentRef": {"name": "edge"},
                    "conditions": [condition("Accepted"), condition("ResolvedRefs")],
                }
            ],
        ),
    ),
    (
        ENVOY,
        "SecurityPolicy",
        live(
            None,
            ancestors=[{"ancestorRef": {"name": "edge"}, "conditions": [condition("Accepted")]}],
        ),
    ),
    (
        ENVOY,
        "BackendTrafficPolicy",
        live(
            None,
            ancestors=[
                {"ancestorRef": {"name": "edge"}, "conditions": [condition("Merged")]},
                {
                    "ancestorRef": {"name": "edge", "sectionName": "https"},
                    "conditions": [condition("Accepted")],
                },
            ],
        ),
    ),
    # A mesh beside the gateway was told that the policy is not its own.
    (
        "gateway.networking.k8s.io",
        "BackendTLSPolicy",
        live(
            None,
            ancestors=[
                {"ancestorRef": {"name": "edge"}, "conditions": [condition("Accepted")]},
                {
                    "ancestorRef": {"name": "provider"},
                    "conditions": [condition("Accepted", "False", "IgnoredByIstio")],
                },
            ],
        ),
    ),
    (AI, "AIGatewayRoute", conditions(condition("Accepted"))),
    (
        KSERVE,
        "InferenceService",
        conditions(condition("Ready"), modelStatus={"transitionStatus": "UpToDate"}),
    ),
    # It counts the changes of a Deployment.
    (KSERVE, "InferenceService", conditions(condition("Ready"), observedGeneration=1)),
    (KSERVE, "LocalModelCache", live(None, copies={"available": 2, "total": 2})),
    (
        "serving.knative.dev",
        "Service",
        conditions(
            condition("ConfigurationsReady"),
            condition("RoutesReady"),
            condition("Ready"),
            latestReadyRevisionName="a",
            latestCreatedRevisionName="a",
        ),
    ),
    ("cert-manager.io", "Certificate", conditions(condition("Ready"))),
    ("keda.sh", "ScaledObject", conditions(condition("Ready"), condition("Active", "False"))),
    (
        "monitoring.coreos.com",
        "Prometheus",
        conditions(condition("Available"), condition("Reconciled")),
    ),
]


@pytest.mark.parametrize(("group", "kind", "one"), READY_CASES)
def test_ready(group: str, kind: str, one: Live) -> None:
    verdict = assess(one, group, kind)
    assert verdict is not None
    assert (verdict.state, verdict.reason) == (State.READY, "")


@pytest.mark.parametrize(("group", "kind"), sorted({(row[0], row[1]) for row in READY_CASES}))
def test_without_a_status_nothing_is_ready(group: str, kind: str) -> None:
    one = live({"hard": {"pods": "1"}, "parentRefs": [{"name": "edge"}]})
    verdict = assess(one, group, kind)
    assert verdict is not None
    assert verdict.state is State.PROGRESSING
    assert verdict.reason


LATE_CASES = [
    (
        "apps",
        "Deployment",
        live(
            {"replicas": 2}, observedGeneration=GENERATION, updatedReplicas=2, availableReplicas=1
        ),
        "2 of 2 replicas are new, 1 available",
    ),
    (
        "apps",
        "Deployment",
        live({"replicas": 1}, observedGeneration=2, updatedReplicas=1, availableReplicas=1),
        "has not seen this version",
    ),
    (
        GATEWAY,
        "Gateway",
        conditions(
            condition("Accepted"),
            condition("Programmed", "False", "AddressNotAssigned", message="no address"),
        ),
        "no load balancer gives it an address",
    ),
    (
        GATEWAY,
        "Gateway",
        conditions(
            condition("Accepted"),
            condition("Programmed", "False", "Invalid"),
            listeners=[
                {
                    "name": "https",
                    "conditions": [condition("ResolvedRefs", "False", "InvalidCertificateRef")],
                }
            ],
        ),
        "listener https: ResolvedRefs=False InvalidCertificateRef (the listener's certificate",
    ),
    (
        GATEWAY,
        "HTTPRoute",
        live(
            {"parentRefs": [{"name": "edge"}]},
            parents=[
                {
                    "parentRef": {"name": "edge"},
                    "conditions": [
                        condition("Accepted"),
                        condition("ResolvedRefs", "False", "RefNotPermitted"),
                    ],
                }
            ],
        ),
        "a ReferenceGrant in the other namespace is missing",
    ),
    (
        GATEWAY,
        "HTTPRoute",
        live(
            {"parentRefs": [{"name": "edge"}]},
            parents=[
                {
                    "parentRef": {"name": "edge"},
                    "conditions": [condition("Accepted", observedGeneration=GENERATION - 1)],
                }
            ],
        ),
        "Accepted is of an older version",
    ),
    (
        GATEWAY,
        "HTTPRoute",
        live({"parentRefs": [{"name": "edge"}]}, parents=[{"parentRef": {"name": "other"}}]),
        "parent edge: no controller has reported",
    ),
    (
        KSERVE,
        "InferenceService",
        conditions(
            condition("IngressReady", "False", "Waiting"),
            condition("Ready", "False", "Waiting"),
        ),
        "IngressReady=False Waiting",
    ),
    (
        "serving.knative.dev",
        "Service",
        conditions(
            condition("ConfigurationsReady"),
            condition("RoutesReady"),
            condition("Ready"),
            latestReadyRevisionName="a",
            latestCreatedRevisionName="b",
        ),
        "b is not ready",
    ),
]


@pytest.mark.parametrize(("group", "kind", "one", "reason"), LATE_CASES)
def test_late_says_why(group: str, kind: str, one: Live, reason: str) -> None:
    verdict = assess(one, group, kind)
    assert verdict is not None
    assert verdict.state is State.PROGRESSING
    assert reason in verdict.reason


FAILED_CASES = [
    ("", "Namespace", live(phase="Terminating"), "being deleted"),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        conditions(condition("NamesAccepted", "False", "Conflict")),
        "NamesAccepted=False Conflict",
    ),
    (
        "apps",
        "Deployment",
        conditions(condition("Progressing", "False", "ProgressDeadlineExceeded")),
        "ProgressDeadlineExceeded",
    ),
    (
        "apps",
        "Deployment",
        conditions(condition("ReplicaFailure", "True", "FailedCreate", message="exceeded quota")),
        "exceeded quota",
    ),
    (
        "batch",
        "Job",
        conditions(condition("Failed", reason="BackoffLimitExceeded")),
        "BackoffLimit",
    ),
    (
        ENVOY,
        "SecurityPolicy",
        live(
            None,
            ancestors=[
                {
                    "ancestorRef": {"name": "edge"},
                    "conditions": [condition("Accepted"), condition("Overridden")],
                }
            ],
        ),
        "edge: Overridden=True",
    ),
    (
        ENVOY,
        "BackendTrafficPolicy",
        live(
            None,
            ancestors=[{"ancestorRef": {"name": "edge"}, "conditions": [condition("Conflicted")]}],
        ),
        "edge: Conflicted=True",
    ),
    (
        AI,
        "AIGatewayRoute",
        conditions(condition("NotAccepted", "False", "NotAccepted", message="no such backend")),
        "no such backend",
    ),
    (
        KSERVE,
        "InferenceService",
        conditions(
            condition("Ready", "False"),
            modelStatus={
                "transitionStatus": "BlockedByFailedLoad",
                "lastFailureInfo": {"reason": "ModelLoadFailed", "message": "no such file"},
            },
        ),
        "BlockedByFailedLoad: ModelLoadFailed no such file",
    ),
    (
        KSERVE,
        "LocalModelCache",
        live(None, nodeStatus={"n1": "NodeDownloadError"}),
        "download failed on n1",
    ),
    (
        "serving.knative.dev",
        "Service",
        conditions(condition("ConfigurationsReady", "False", "RevisionFailed")),
        "RevisionFailed",
    ),
]


@pytest.mark.parametrize(("group", "kind", "one", "reason"), FAILED_CASES)
def test_failed_says_why(group: str, kind: str, one: Live, reason: str) -> None:
    verdict = assess(one, group, kind)
    assert verdict is not None
    assert verdict.state is State.FAILED
    assert reason in verdict.reason


def test_other_kinds_are_in_force_at_once() -> None:
    assert assess(live(), "", "ConfigMap") is None
    assert not is_awaited("networking.istio.io", "VirtualService")
    # Of the same kind in another group nothing is known.
    assert not is_awaited("example.com", "Gateway")


def test_a_model_in_mode_knative_counts_generations_as_knative_does() -> None:
    older = {"observedGeneration": GENERATION - 1}
    verdict = assess(
        conditions(condition("Ready"), deploymentMode="Knative", **older),
        KSERVE,
        "InferenceService",
    )
    assert verdict is not None
    assert verdict.state is State.READY
