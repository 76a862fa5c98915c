# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform whose one model has no process until somebody asks, and how tests look at its pods."""

from __future__ import annotations

import json
import time
import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Cluster,
)

from tests.node.own_node import OwnNode

Object = dict[str, t.Any]
MODEL, OWNER, OTHER = "iris", "tenant-a", "tenant-b"
_SECONDS = 300.0

VARIABLES: t.Mapping[str, t.Any] = {
    "tenants": [
        {
            "name": OWNER,
            "models": {"allow": [MODEL]},
            "resources": {"cpu": "2", "memory": "4Gi", "pods": 6},
        },
        # Whose pods have room for a sidecar.
        {
            "name": OTHER,
            "models": {"allow": []},
            "resources": {"cpu": "1", "memory": "1Gi", "pods": 2},
        },
    ],
    "models": [
        {
            "name": MODEL,
            "tenant": OWNER,
            "framework": "sklearn",
            "source": "python://inferencebox_samples/iris",
            "version": "1",
            "serving": {
                "mode": "knative",
                "replicas": {"min": 0, "max": 2},
                # As few seconds as Knative admits.
                "idle_seconds": 6,
                "start_timeout": "180s",
                "request_timeout": "180s",
                "resources": {"cpu": "250m", "memory": "1Gi"},
            },
            "publish": {"apis": ["v1", "v2"], "example": {"instances": [[5.1, 3.5, 1.4, 0.2]]}},
        }
    ],
}


def listed(node: OwnNode, kind: str, namespace: str, selector: str = "") -> list[Object]:
    """Objects of one kind in a namespace."""
    words = (f"--namespace={namespace}", f"--selector={selector}", "--output=json")
    done = node.kubectl("get", kind, *words)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["items"])


def pods(node: OwnNode, namespace: str = OWNER) -> list[Object]:
    """Pods of a namespace."""
    return listed(node, "pods", namespace)


def addresses(node: OwnNode, namespace: str, selector: str) -> list[str]:
    """Addresses of the pods with a label."""
    return [one["status"]["podIP"] for one in listed(node, "pods", namespace, selector)]


def service_address(node: OwnNode, namespace: str, name: str) -> str:
    """Address of a Service in its cluster."""
    (found,) = (
        one for one in listed(node, "services", namespace) if one["metadata"]["name"] == name
    )
    return str(found["spec"]["clusterIP"])


def wait_for_zero(node: OwnNode) -> None:
    """Wait until the model has no pod, not even one that is about to end."""
    _wait(lambda: not pods(node), lambda: [one["status"] for one in pods(node)])


def run(node: OwnNode, name: str, code: str, *, mesh: bool) -> t.Any:
    """Run Python in a pod of a tenant that owns no model.

    Args:
        node: Where.
        name: The pod's name.
        code: What it runs; the last line that it prints is JSON.
        mesh: Whether it has a sidecar, and so an identity.

    Returns:
        What it printed.
    """
    container = {
        "name": "main",
        # Of the platform's images, the one that holds Python.
        "image": Cluster().runtime_image,
        "command": ["python", "-c", code],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": OTHER,
            "labels": {"sidecar.istio.io/inject": "true" if mesh else "false"},
        },
        "spec": {
            "restartPolicy": "Never",
            "containers": [container],
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }
    done = node.kubectl("create", f"--filename={_file(node, pod)}")
    assert done.returncode == 0, done.stderr
    place = (f"--namespace={OTHER}", name)
    (made,) = (one for one in pods(node, OTHER) if one["metadata"]["name"] == name)
    has = {
        one["name"] for key in ("initContainers", "containers") for one in made["spec"].get(key, [])
    }
    assert ("istio-proxy" in has) == mesh
    try:
        _wait(lambda: _ended(node, name), lambda: node.kubectl("describe", "pod", *place).stdout)
        logs = node.kubectl("logs", "--container=main", *place)
        return json.loads(logs.stdout.splitlines()[-1])
    finally:
        node.kubectl("delete", "pod", "--wait", *place)


def _file(node: OwnNode, one: Object) -> str:
    path = node.directory / f"{one['metadata']['name']}.json"
    path.write_text(json.dumps(one))
    return str(path)


def _ended(node: OwnNode, name: str) -> bool:
    (pod,) = (one for one in pods(node, OTHER) if one["metadata"]["name"] == name)
    states = pod["status"].get("containerStatuses", [])
    return any(one["name"] == "main" and "terminated" in one["state"] for one in states)


def _wait(happened: t.Callable[[], bool], said: t.Callable[[], object]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not happened():
        assert time.monotonic() < deadline, said()
        time.sleep(0.5)
