# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two releases of Kubernetes that a node can run on, and what a node tells of its own and of its containers."""

from __future__ import annotations

import json

from .bundle import TRAIN
from .own_node import OwnNode

# Minor release and the tool that builds it.
(FIRST, FIRST_TOOL), (NEXT, NEXT_TOOL) = list(TRAIN.node_kubernetes.items())[:2]


def release(node: OwnNode) -> tuple[str, str]:
    """Minor release that the API server is of, and the one that the node says its kubelet is of."""
    server = json.loads(node.kubectl("version", "--output=json").stdout)["serverVersion"]
    told = "jsonpath={.items[0].status.nodeInfo.kubeletVersion}"
    kubelet = node.kubectl("get", "nodes", "--output", told).stdout
    return f"{server['major']}.{server['minor']}", kubelet.removeprefix("v").rpartition(".")[0]


def containers(node: OwnNode) -> dict[str, int]:
    """How often each container was restarted, by its pod and its id."""
    done = node.kubectl("get", "pods", "--all-namespaces", "--output=json")
    assert done.returncode == 0, done.stderr
    return {
        f"{one['metadata']['name']} {status['containerID']}": status["restartCount"]
        for one in json.loads(done.stdout)["items"]
        for status in one["status"]["containerStatuses"]
    }
