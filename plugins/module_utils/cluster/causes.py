# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a workload is late, read from its pods: the workload itself only counts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError
from . import revisions
from .api import Api
from .objects import Key, digest

_MODEL = ("serving.kserve.io", "InferenceService")
_INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
# KServe's name for what a pod of a model is: predictor, transformer and the like.
_COMPONENT = "component"
# The scheduler's own word: k8s.io/api/core/v1, PodReasonUnschedulable.
_UNSCHEDULABLE = "Unschedulable"
# Of what a node has too little. pkg/scheduler/framework/plugins/noderesources: fit.go
_NO_ROOM = re.compile(r"\bInsufficient |\bToo many pods\b")
# The kubelet's, of containers that run: k8s.io/kubernetes, pkg/kubelet/status (ContainersNotReady).
_NOT_READY = "ContainersNotReady"
# Phases of a pod that does not run again.
_ENDS = ("Succeeded", "Failed")
# A container that is not ready, and that the kubelet does not hold back (or not at this moment).
_ENDED = "ended"
# Of what a container said last. Its end is kept: a log's line begins with when and where.
_SHOWN_CHARACTERS = 300
_HINTS = {
    _UNSCHEDULABLE: "no node takes it: let it ask for less, end something else, or add a node; a new version stands "
    "beside the old one until it is ready",
    "ImagePullBackOff": "the image cannot be fetched: check its name, and the registry's credentials",
    "ErrImagePull": "the image cannot be fetched: check its name, and the registry's credentials",
    "CreateContainerConfigError": "a ConfigMap or Secret that it names is missing",
    _NOT_READY: "they run, and do not say that they are ready: read their logs",
    "CrashLoopBackOff": "the program ends soon after its start: read its log",
    _ENDED: "read its log",
}


@dataclass(frozen=True)
class Cause:
    """What keeps a pod from running.

    Attributes:
        reason: In one word, as its node or the scheduler calls it; empty where nothing does.
        text: One line for a person.
    """

    reason: str = ""
    text: str = ""

    @property
    def no_room(self) -> bool:
        """Whether no node has room for the pod. One that is under pressure or not ready takes none either, and recovers."""
        return self.reason == _UNSCHEDULABLE and bool(_NO_ROOM.search(self.text))


_NONE = Cause()


def of_workload(api: Api, key: Key, live: Mapping[str, Any]) -> Cause:
    """Say what keeps the pods of a workload from running.

    Args:
        api: The cluster.
        key: The workload.
        live: The workload as the API server has it.

    Returns:
        Of the first pod that something keeps, what that is; where none says anything, what keeps pods from being made.
        Empty where nothing is said or nothing can be read.
    """
    selector = _selector(key, live)
    if not selector:
        return _NONE
    kept = [
        Cause(cause.reason, f"pod {pod['metadata']['name']}: {cause.text}")
        for pod in _read(api, _pods_of(key), selector)
        if not _has_ended(pod) and (cause := of_pod(pod)).text
    ]
    if kept:
        # A pod that runs, or runs again, may only need more time than another that cannot.
        return min(kept, key=lambda cause: (cause.reason == _NOT_READY, cause.reason == _ENDED))
    if (key.group, key.kind) == _MODEL:
        # Of a Deployment that is awaited itself, its own verdict says it.
        for deployment in _read(api, _deployments_of(key), selector):
            if (cause := _refused(deployment)).text:
                return cause
    return _NONE


def room_may_come(api: Api) -> bool:
    """Tell whether pods are ending, or are to end some time, which hold room that others wait for; also when nobody knows."""
    try:
        pods = list(api.list_all("/api/v1/pods", "", patient=False))
    except ClusterError:
        return True
    return any(map(_will_end, pods))


def _will_end(pod: Mapping[str, Any]) -> bool:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in _ENDS:
        return False
    return bool(pod["metadata"].get("deletionTimestamp")) or (
        spec.get("restartPolicy", "Always") != "Always"
    )


def _refused(deployment: Mapping[str, Any]) -> Cause:
    """Why a Deployment's pods are not made, by a quota say."""
    for condition in (deployment.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            reason = str(condition.get("reason"))
            return Cause(reason, f"{reason}: {condition.get('message')}")
    return _NONE


def of_unfinished(api: Api, key: Key, live: Mapping[str, Any]) -> str:
    """Say why a workload that calls itself ready is not, as what stands behind it tells.

    What it says of itself was written by a controller, which may run in a pod that is gone, too; and KServe calls a model
    ready whose new version cannot start, because the old one still answers. Of each component that has pods, one must be ready.

    Args:
        api: The cluster.
        key: The workload.
        live: The workload as the API server has it.

    Returns:
        One line; empty where all is well, and where nothing can be read.
    """
    selector = _selector(key, live)
    if not selector:
        return ""
    if (key.group, key.kind) == _MODEL:
        unserved = _unrevised if _by_knative(live) else _unchanged
        if reason := unserved(api, key, live, selector):
            return reason
    components = _pods_by_component(api, key, selector)
    if all(any(map(_is_ready, pods)) for pods in components.values()):
        return ""
    return "none of its pods is ready"


def answers(api: Api, key: Key, live: Mapping[str, Any]) -> bool:
    """Tell whether a workload has pods that answer, of whatever version of it: one of each component that has any."""
    components = _pods_by_component(api, key, _selector(key, live))
    return bool(components) and all(any(map(_is_ready, pods)) for pods in components.values())


def _pods_by_component(api: Api, key: Key, selector: str) -> dict[str, list[Mapping[str, Any]]]:
    """The pods of a workload that have not ended and are not about to."""
    components: dict[str, list[Mapping[str, Any]]] = {}
    for pod in _read(api, _pods_of(key), selector) if selector else ():
        if not _has_ended(pod):
            name = (pod["metadata"].get("labels") or {}).get(_COMPONENT, "")
            components.setdefault(name, []).append(pod)
    return components


def _has_ended(pod: Mapping[str, Any]) -> bool:
    """Whether it has, or is about to."""
    phase = (pod.get("status") or {}).get("phase", "")
    return bool(pod["metadata"].get("deletionTimestamp")) or phase in _ENDS


def _by_knative(live: Mapping[str, Any]) -> bool:
    return bool((live.get("status") or {}).get("deploymentMode") == "Knative")


def _unrevised(api: Api, key: Key, live: Mapping[str, Any], selector: str) -> str:
    return revisions.unready(live, _read(api, revisions.path(key.namespace), selector))


def _unchanged(api: Api, key: Key, live: Mapping[str, Any], selector: str) -> str:
    deployments = _read(api, _deployments_of(key), selector)
    if reason := _unmade(live, deployments):
        return reason
    return next(filter(None, map(_unreplaced, deployments)), "")


def _unmade(live: Mapping[str, Any], deployments: Sequence[Mapping[str, Any]]) -> str:
    """Why KServe's Deployments are not those of a model's present version; what carries no digest is not compared."""
    # A component of the model and the Deployment that KServe makes of it carry the same.
    asked = {digest(component) for component in _components(live)} - {""}
    made = {digest(one["metadata"]): one["metadata"]["name"] for one in deployments}
    if not asked or not made:
        return ""
    if asked - made.keys():
        return "KServe has not changed its Deployments to this version yet"
    left = sorted(name for digest, name in made.items() if digest not in asked)
    return f"KServe has not removed Deployment {left[0]} yet" if left else ""


def _components(live: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    spec = live.get("spec") or {}
    yield from (spec[name] for name in ("predictor", "transformer") if spec.get(name))
    yield from (canary.get("predictor") or {} for canary in spec.get("canary") or [])


def _unreplaced(deployment: Mapping[str, Any]) -> str:
    """Why a Deployment does not serve, or not its present version alone; how many replicas do is its autoscaler's matter."""
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    if int(status.get("observedGeneration", 0)) < int(metadata.get("generation", 0)):
        return f"Deployment {metadata['name']} is about to be changed"
    total, updated = status.get("replicas", 0), status.get("updatedReplicas", 0)
    if total != updated:
        return (
            f"Deployment {metadata['name']}: {updated} of {total} replicas are of the new version"
        )
    # The API server fills in the number.
    if (deployment.get("spec") or {}).get("replicas") and not status.get("availableReplicas"):
        return f"Deployment {metadata['name']}: no replica is available"
    return ""


def _pods_of(key: Key) -> str:
    return f"/api/v1/namespaces/{key.namespace}/pods"


def _deployments_of(key: Key) -> str:
    return f"/apis/apps/v1/namespaces/{key.namespace}/deployments"


def _read(api: Api, path: str, selector: str) -> list[Mapping[str, Any]]:
    try:
        return list(api.list_all(path, selector, patient=False))
    except ClusterError:
        return []


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def of_pod(pod: Mapping[str, Any]) -> Cause:
    """Say what keeps one pod from running; empty where nothing does."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            reason = str(condition.get("reason"))
            return Cause(reason, _with_hint(f"{reason}: {condition.get('message')}", reason))
    for part in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(part) or []:
            if (cause := _of_container(container)).text:
                return cause
    for condition in status.get("conditions") or []:
        # While they are made, they are unready, too.
        if condition.get("reason") == _NOT_READY and status.get("phase") == "Running":
            return Cause(_NOT_READY, _with_hint(str(condition.get("message")), _NOT_READY))
    return _NONE


def _of_container(container: Mapping[str, Any]) -> Cause:
    """What keeps one container from running, or made it end before: one that is started again and again runs now and then."""
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    last = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    reason = str(waiting.get("reason", ""))
    if reason in ("", "PodInitializing", "ContainerCreating"):
        if container.get("ready") or not last.get("exitCode"):
            return _NONE
        reason = _ENDED
    text = f"container {container['name']} {reason}"
    text += f", exit code {last['exitCode']} {last.get('reason', '')}".rstrip() if last else ""
    # What it said in the end says more than that it is started again, and when.
    said = _last_line(str(last.get("message", ""))) or waiting.get("message")
    text += f": {said}" if said else ""
    return Cause(reason, _with_hint(text, reason))


def _last_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[-1].strip()[-_SHOWN_CHARACTERS:] if lines else ""


def _with_hint(text: str, reason: str) -> str:
    return f"{text} ({_HINTS[reason]})" if reason in _HINTS else text


def _selector(key: Key, live: Mapping[str, Any]) -> str:
    if (key.group, key.kind) == _MODEL:
        return f"{_INFERENCE_SERVICE}={key.name}"
    if key.group in ("apps", "batch"):
        labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        return ",".join(f"{name}={value}" for name, value in labels.items())
    return ""
