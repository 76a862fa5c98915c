# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a workload is late, read from its pods: the workload itself only counts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ClusterError
from .api import Api
from .objects import Key

_INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
_HINTS = {
    "ImagePullBackOff": "the image cannot be fetched: check its name, and the registry's credentials",
    "ErrImagePull": "the image cannot be fetched: check its name, and the registry's credentials",
    "CreateContainerConfigError": "a ConfigMap or Secret that it names is missing",
    "CrashLoopBackOff": "the program ends soon after its start: read its log",
}


def of_workload(api: Api, key: Key, live: Mapping[str, Any]) -> str:
    """Say what keeps the pods of a workload from running.

    Args:
        api: The cluster.
        key: The workload.
        live: The workload as the API server has it.

    Returns:
        One line; empty where the pods say nothing or cannot be read.
    """
    selector = _selector(key, live)
    if not selector:
        return ""
    try:
        pods = list(
            api.list_all(f"/api/v1/namespaces/{key.namespace}/pods", selector, patient=False)
        )
    except ClusterError:
        return ""
    reasons = [
        f"pod {pod['metadata']['name']}: {reason}" for pod in pods if (reason := of_pod(pod))
    ]
    return reasons[0] if reasons else ""


def of_pod(pod: Mapping[str, Any]) -> str:
    """Say what keeps one pod from running; empty where nothing does."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason')}: {condition.get('message')}"
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
            return f"{text} ({_HINTS[reason]})" if reason in _HINTS else text
    return ""


def _selector(key: Key, live: Mapping[str, Any]) -> str:
    if (key.group, key.kind) == ("serving.kserve.io", "InferenceService"):
        return f"{_INFERENCE_SERVICE}={key.name}"
    if key.group in ("apps", "batch"):
        labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        return ",".join(f"{name}={value}" for name, value in labels.items())
    return ""
