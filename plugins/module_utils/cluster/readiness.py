# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When an object of some kind is ready, and what it says when it is not.

One pure function a family of kinds, from a live object to a verdict. A condition counts only for the generation
that it was written for: after a change the old one still says True for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Live = Mapping[str, Any]


class State(Enum):
    """How far an object is."""

    READY = "ready"
    PROGRESSING = "progressing"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """State of one object.

    Attributes:
        state: How far it is. FAILED means that nothing gets better by waiting longer.
        reason: What is missing, in the words of its controller; empty when ready.
    """

    state: State
    reason: str = ""


READY = Verdict(State.READY)

# What a person can do about a controller's reason, where its own message does not say.
_HINTS = {
    "AddressNotAssigned": "no load balancer gives it an address; use service type NodePort or ClusterIP",
    "AddressNotUsable": "the address that it asks for is not to be had",
    "InvalidCertificateRef": "the listener's certificate Secret is missing, or no ReferenceGrant allows it",
    "RefNotPermitted": "a ReferenceGrant in the other namespace is missing",
    "BackendNotFound": "the backend that it names does not exist",
    "NoMatchingParent": "no listener of its Gateway takes routes from this namespace or host",
    "NotAllowedByListeners": "the Gateway's listeners take no routes from this namespace",
    "TargetNotFound": "what the policy is attached to does not exist",
    "IngressNotConfigured": "the ingress controller has not seen the route",
    "Uninitialized": "the load balancer does not answer the ingress controller's probe",
    "Pending": "no controller has taken it up yet",
}


def is_awaited(group: str, kind: str) -> bool:
    """Tell whether objects of a kind become ready some time after they exist."""
    return (group, kind) in _JUDGES


def assess(live: Live, group: str, kind: str) -> Verdict | None:
    """Judge an object.

    Args:
        live: The object as the API server has it.
        group: API group of its kind.
        kind: Its kind.

    Returns:
        The verdict, or None where objects of this kind are in force as soon as they exist.
    """
    judge = _JUDGES.get((group, kind))
    return judge(live) if judge else None


def _conditions(live: Live) -> list[Mapping[str, Any]]:
    return list((live.get("status") or {}).get("conditions") or [])


def _generation(live: Live) -> int:
    return int(live["metadata"].get("generation", 0))


def _seen(live: Live) -> bool:
    """Whether the controller has written its status for the present generation."""
    observed = (live.get("status") or {}).get("observedGeneration")
    return observed is None or int(observed) >= _generation(live)


def _require(
    conditions: list[Mapping[str, Any]], generation: int, *types: str, where: str = ""
) -> Verdict:
    """Demand that all of these conditions are True, and written for this generation."""
    by_type = {condition.get("type"): condition for condition in conditions}
    for name in types:
        condition = by_type.get(name)
        if condition is None:
            return Verdict(State.PROGRESSING, f"{where}no condition {name} yet: {_nobody(by_type)}")
        if int(condition.get("observedGeneration") or generation) < generation:
            return Verdict(State.PROGRESSING, f"{where}{name} is of an older version of the object")
        if condition.get("status") != "True":
            return Verdict(State.PROGRESSING, where + describe(condition))
    return READY


def _nobody(by_type: Mapping[Any, Any]) -> str:
    if by_type:
        return "its controller is at work"
    return "no controller has reported on it; is the one for this kind running?"


def describe(condition: Mapping[str, Any]) -> str:
    """One line for a condition that is not as it should be."""
    reason, message = condition.get("reason") or "", condition.get("message") or ""
    text = f"{condition.get('type')}={condition.get('status')}"
    text += f" {reason}" if reason else ""
    text += f": {message}" if message else ""
    hint = _HINTS.get(reason, "")
    return f"{text} ({hint})" if hint else text


def _failed_if(verdict: Verdict, live: Live, *reasons: str) -> Verdict:
    """Turn a verdict into a failure where a condition gives a reason that no waiting mends."""
    for condition in _conditions(live):
        if condition.get("status") == "False" and condition.get("reason") in reasons:
            return Verdict(State.FAILED, describe(condition))
    return verdict


def _by_conditions(*types: str) -> Callable[[Live], Verdict]:
    def judge(live: Live) -> Verdict:
        if not _seen(live):
            return Verdict(State.PROGRESSING, "its controller has not seen this version yet")
        return _require(_conditions(live), _generation(live), *types)

    return judge


def _namespace(live: Live) -> Verdict:
    phase = (live.get("status") or {}).get("phase", "")
    if live["metadata"].get("deletionTimestamp") or phase == "Terminating":
        return Verdict(State.FAILED, "it is being deleted")
    return READY if phase == "Active" else Verdict(State.PROGRESSING, f"phase {phase or 'unknown'}")


def _definition(live: Live) -> Verdict:
    verdict = _require(_conditions(live), 0, "NamesAccepted", "Established")
    for condition in _conditions(live):
        if condition.get("type") == "NamesAccepted" and condition.get("status") == "False":
            return Verdict(State.FAILED, describe(condition))
    return verdict


def _deployment(live: Live) -> Verdict:
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    for condition in _conditions(live):
        failure = condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        if failure or condition.get("reason") == "ProgressDeadlineExceeded":
            return Verdict(State.FAILED, describe(condition))
    if not _seen(live) or "observedGeneration" not in status:
        return Verdict(State.PROGRESSING, "the deployment controller has not seen this version yet")
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or available < wanted or status.get("replicas", 0) > updated:
        return Verdict(
            State.PROGRESSING, f"{updated} of {wanted} replicas are new, {available} available"
        )
    return READY


def _stateful_set(live: Live) -> Verdict:
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    if not _seen(live) or ready < wanted or updated < wanted:
        return Verdict(State.PROGRESSING, f"{updated} of {wanted} replicas are new, {ready} ready")
    return READY


def _daemon_set(live: Live) -> Verdict:
    status = live.get("status") or {}
    wanted, updated = status.get("desiredNumberScheduled"), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    if not _seen(live) or wanted is None or updated < wanted or available < wanted:
        return Verdict(
            State.PROGRESSING, f"{updated} of {wanted} pods are new, {available} available"
        )
    return READY


def _job(live: Live) -> Verdict:
    for condition in _conditions(live):
        if condition.get("status") == "True":
            if condition.get("type") == "Failed":
                return Verdict(State.FAILED, describe(condition))
            if condition.get("type") == "Complete":
                return READY
    return Verdict(State.PROGRESSING, "the job has not ended")


def _quota(live: Live) -> Verdict:
    wanted, seen = live["spec"].get("hard") or {}, (live.get("status") or {}).get("hard") or {}
    if set(wanted) <= set(seen):
        return READY
    return Verdict(State.PROGRESSING, "the quota controller has not counted yet")


def _gateway(live: Live) -> Verdict:
    generation = _generation(live)
    verdict = _require(_conditions(live), generation, "Accepted", "Programmed")
    listeners = (live.get("status") or {}).get("listeners") or []
    # The listener's own reason says more than the Gateway's.
    for listener in listeners:
        of = list(listener.get("conditions") or [])
        inner = _require(of, generation, "ResolvedRefs", where=f"listener {listener.get('name')}: ")
        if inner.state is not State.READY:
            return inner
    return verdict


def _route(live: Live) -> Verdict:
    """Every parent that the route names must have taken it."""
    generation, parents = _generation(live), (live.get("status") or {}).get("parents") or []
    wanted = (live.get("spec") or {}).get("parentRefs") or []
    for reference in wanted:
        name = reference.get("name")
        of = [row for row in parents if (row.get("parentRef") or {}).get("name") == name]
        if not of:
            return Verdict(State.PROGRESSING, f"parent {name}: {_nobody({})}")
        for row in of:
            conditions = list(row.get("conditions") or [])
            verdict = _require(
                conditions, generation, "Accepted", "ResolvedRefs", where=f"parent {name}: "
            )
            if verdict.state is not State.READY:
                return verdict
    return READY


# Of Istio, where `istio.io/ignore-policy-attachment` is set: istio.io/istio, pilot/pkg/config/kube/gateway, backend_policies.go
_IGNORED = "IgnoredByIstio"


def _ancestors(live: Live) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for row in (live.get("status") or {}).get("ancestors") or []:
        conditions = list(row.get("conditions") or [])
        # Whom the policy's own annotation told that it is not theirs says nothing of it.
        if not any(condition.get("reason") == _IGNORED for condition in conditions):
            yield (row.get("ancestorRef") or {}).get("name", ""), conditions


def _policy(live: Live) -> Verdict:
    """A policy of the Gateway API: what it is attached to reports, not the policy itself."""
    ancestors = list(_ancestors(live))
    if not ancestors:
        return Verdict(State.PROGRESSING, _nobody({}))
    for name, conditions in ancestors:
        for condition in conditions:
            if condition.get("type") == "Conflicted" and condition.get("status") == "True":
                return Verdict(State.FAILED, f"{name}: {describe(condition)}")
        # Of a policy on a route that is merged into its Gateway's, Envoy Gateway says so of the Gateway, and nothing
        # else: whether it is accepted stands with the route's own parent.
        merged = _require(conditions, _generation(live), "Merged").state is State.READY
        kind = "Merged" if merged and not _has(conditions, "Accepted") else "Accepted"
        verdict = _require(conditions, _generation(live), kind, where=f"{name}: ")
        if verdict.state is not State.READY:
            return verdict
    return READY


def _has(conditions: list[Mapping[str, Any]], kind: str) -> bool:
    return any(condition.get("type") == kind for condition in conditions)


def _security_policy(live: Live) -> Verdict:
    """As any policy; one that another overrides guards nothing, and that is not what was asked for."""
    for name, conditions in _ancestors(live):
        for condition in conditions:
            if condition.get("type") == "Overridden" and condition.get("status") == "True":
                return Verdict(State.FAILED, f"{name}: {describe(condition)}")
    return _policy(live)


def _ai_gateway(live: Live) -> Verdict:
    """Its controller says no by a condition of another type, NotAccepted, and never by Accepted=False."""
    for condition in _conditions(live):
        if condition.get("type") == "NotAccepted":
            return Verdict(State.FAILED, describe(condition))
    return _require(_conditions(live), _generation(live), "Accepted")


def _inference_service(live: Live) -> Verdict:
    model = (live.get("status") or {}).get("modelStatus") or {}
    transition = model.get("transitionStatus", "")
    if transition in ("BlockedByFailedLoad", "InvalidSpec"):
        failure = model.get("lastFailureInfo") or {}
        said = " ".join(str(failure[key]) for key in ("reason", "message") if failure.get(key))
        return Verdict(State.FAILED, f"{transition}: {said or 'the controller gives no reason'}")
    # Its observedGeneration is that of Knative's Service, or in mode Standard of a Deployment. These count on their own, and
    # say nothing of this object; whether they are of its present version, `causes.of_unfinished` finds out.
    verdict = _require(_conditions(live), _generation(live), "Ready")
    if verdict.state is State.READY:
        return verdict
    # The first part that is not ready says more than the sum.
    for condition in _conditions(live):
        if condition.get("type") != "Ready" and condition.get("status") == "False":
            return Verdict(State.PROGRESSING, describe(condition))
    return verdict


def _local_model_cache(live: Live) -> Verdict:
    status = live.get("status") or {}
    failed = [
        n for n, state in (status.get("nodeStatus") or {}).items() if state == "NodeDownloadError"
    ]
    if failed:
        return Verdict(State.FAILED, f"download failed on {', '.join(sorted(failed))}")
    copies = status.get("copies") or {}
    available, total = copies.get("available", 0), copies.get("total")
    if total is None or available < total:
        return Verdict(State.PROGRESSING, f"{available} of {total or 'unknown'} copies are there")
    return READY


def _knative_service(live: Live) -> Verdict:
    status = live.get("status") or {}
    verdict = _by_conditions("ConfigurationsReady", "RoutesReady", "Ready")(live)
    if status.get("latestReadyRevisionName") != status.get("latestCreatedRevisionName"):
        newest = status.get("latestCreatedRevisionName")
        return verdict if verdict.reason else Verdict(State.PROGRESSING, f"{newest} is not ready")
    return _failed_if(verdict, live, "RevisionFailed", "ContainerMissing")


_ready = _by_conditions("Ready")
_accepted = _by_conditions("Accepted")
_GATEWAY = "gateway.networking.k8s.io"
_ENVOY = "gateway.envoyproxy.io"
_AI = "aigateway.envoyproxy.io"
_KSERVE = "serving.kserve.io"
_INFERENCE = "inference.networking.k8s.io"

_JUDGES: dict[tuple[str, str], Callable[[Live], Verdict]] = {
    ("", "Namespace"): _namespace,
    ("", "ResourceQuota"): _quota,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _by_conditions("Available"),
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    (_GATEWAY, "GatewayClass"): _accepted,
    (_GATEWAY, "Gateway"): _gateway,
    (_GATEWAY, "HTTPRoute"): _route,
    (_GATEWAY, "GRPCRoute"): _route,
    (_GATEWAY, "BackendTLSPolicy"): _policy,
    (_ENVOY, "SecurityPolicy"): _security_policy,
    (_ENVOY, "ClientTrafficPolicy"): _policy,
    (_ENVOY, "BackendTrafficPolicy"): _policy,
    (_ENVOY, "EnvoyExtensionPolicy"): _policy,
    (_ENVOY, "Backend"): _accepted,
    (_AI, "AIGatewayRoute"): _ai_gateway,
    (_AI, "AIServiceBackend"): _ai_gateway,
    (_AI, "BackendSecurityPolicy"): _ai_gateway,
    (_AI, "QuotaPolicy"): _ai_gateway,
    (_KSERVE, "InferenceService"): _inference_service,
    (_KSERVE, "LLMInferenceService"): _ready,
    (_KSERVE, "InferenceGraph"): _ready,
    (_KSERVE, "TrainedModel"): _ready,
    (_KSERVE, "LocalModelCache"): _local_model_cache,
    (_KSERVE, "LocalModelNamespaceCache"): _local_model_cache,
    ("serving.knative.dev", "Service"): _knative_service,
    ("cert-manager.io", "Certificate"): _ready,
    ("cert-manager.io", "Issuer"): _ready,
    ("cert-manager.io", "ClusterIssuer"): _ready,
    ("keda.sh", "ScaledObject"): _ready,
    ("monitoring.coreos.com", "Prometheus"): _by_conditions("Available", "Reconciled"),
    ("monitoring.coreos.com", "Alertmanager"): _by_conditions("Available", "Reconciled"),
}
