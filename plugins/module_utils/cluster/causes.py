# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a workload is late, read from its pods: the workload itself only counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError
from .api import Api
from .objects import Key

_MODEL = ("serving.kserve.io", "InferenceService")
_INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
# KServe's name for what a pod of a model is: predictor, transformer and the like.
_COMPONENT = "component"
# The scheduler's own word: k8s.io/api/core/v1, PodReasonUnschedulable.
_UNSCHEDULABLE = "Unschedulable"
_HINTS = {
    _UNSCHEDULABLE: "no node takes it: let it ask for less, end something else, or add a node; a new version stands "
    "beside the old one until it is ready",
    "ImagePullBackOff": "the image cannot be fetched: check its name, and the registry's credentials",
    "ErrImagePull": "the image cannot be fetched: check its name, and the registry's credentials",
    "CreateContainerConfigError": "a ConfigMap or Secret that it names is missing",
    "CrashLoopBackOff": "the program ends soon after its start: read its log",
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
    def unschedulable(self) -> bool:
        """Whether no node takes the pod."""
        return self.reason == _UNSCHEDULABLE


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
    for pod in _read(api, _pods_of(key), selector):
        if (cause := of_pod(pod)).text:
            return Cause(cause.reason, f"pod {pod['metadata']['name']}: {cause.text}")
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
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
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
        for deployment in _read(api, _deployments_of(key), selector):
            if reason := _unreplaced(deployment):
                return reason
    components: dict[str, list[Mapping[str, Any]]] = {}
    for pod in _read(api, _pods_of(key), selector):
        phase = (pod.get("status") or {}).get("phase", "")
        if not pod["metadata"].get("deletionTimestamp") and phase not in ("Succeeded", "Failed"):
            name = (pod["metadata"].get("labels") or {}).get(_COMPONENT, "")
            components.setdefault(name, []).append(pod)
    if all(any(map(_is_ready, pods)) for pods in components.values()):
        return ""
    return "none of its pods is ready"


def _unreplaced(deployment: Mapping[str, Any]) -> str:
    """Why a Deployment's pods are not all of its present version; how many there are is its autoscaler's matter."""
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    if int(status.get("observedGeneration", 0)) < int(metadata.get("generation", 0)):
        return f"Deployment {metadata['name']} is about to be changed"
    total, updated = status.get("replicas", 0), status.get("updatedReplicas", 0)
    if total == updated:
        return ""
    return f"Deployment {metadata['name']}: {updated} of {total} replicas are of the new version"


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
            waiting = (container.get("state") or {}).get("waiting") or {}
            reason = waiting.get("reason", "")
            if reason in ("", "PodInitializing", "ContainerCreating"):
                continue
            last = (container.get("lastState") or {}).get("terminated") or {}
            text = f"container {container['name']} {reason}"
            text += (
                f", exit code {last['exitCode']} {last.get('reason', '')}".rstrip() if last else ""
            )
            text += f": {waiting['message']}" if waiting.get("message") else ""
            return Cause(reason, _with_hint(text, reason))
    return _NONE


def _with_hint(text: str, reason: str) -> str:
    return f"{text} ({_HINTS[reason]})" if reason in _HINTS else text


def _selector(key: Key, live: Mapping[str, Any]) -> str:
    if (key.group, key.kind) == _MODEL:
        return f"{_INFERENCE_SERVICE}={key.name}"
    if key.group in ("apps", "batch"):
        labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        return ",".join(f"{name}={value}" for name, value in labels.items())
    return ""
