# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of a node on which a test failed: logs, events and objects in one folder, and the lines that matter."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import causes

from tests.node.own_node import OwnNode

FOLDER = Path(__file__).resolve().parents[2] / ".cache/node/failure"
_LINES = 5
_KINDS = (
    "nodes,pods,deployments,replicasets,daemonsets,jobs,services,endpointslices,configmaps,"
    "inferenceservices,gateways,httproutes,virtualservices,destinationrules,authorizationpolicies,"
    "peerauthentications,certificates,validatingwebhookconfigurations,mutatingwebhookconfigurations"
)


def keep(node: OwnNode, name: str) -> str:
    """Keep what tells why a test failed; what an earlier one left is replaced.

    Args:
        node: The node that it ran on.
        name: Name of the test.

    Returns:
        What a person should read first.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    if (node.state / "logs").is_dir():
        # Logs of pods are links into the folders of containers.
        shutil.copytree(node.state / "logs", FOLDER / "logs", ignore_dangling_symlinks=True)
    events, pods = _items(node, "events"), _items(node, "pods")
    (FOLDER / "events.json").write_text(json.dumps(events, indent=1))
    (FOLDER / "objects.yaml").write_text(
        node.kubectl("get", _KINDS, "--all-namespaces", "--output=yaml").stdout
    )
    lines = [*_of_pods(pods), *_of_events(events)][:_LINES]
    return "\n".join([f"{name}: logs, events and objects of the node are in {FOLDER}", *lines])


def _items(node: OwnNode, kind: str) -> list[dict[str, t.Any]]:
    said = node.kubectl("get", kind, "--all-namespaces", "--output=json").stdout
    found: list[dict[str, t.Any]] = json.loads(said)["items"] if said else []
    return found


def _of_pods(pods: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    return [f"pod {_name(one)}: {reason}" for one in pods if (reason := causes.of_pod(one).text)]


def _of_events(events: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """The last warnings, the newest first."""
    told = [one for one in events if one.get("type") == "Warning"]
    told.sort(key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime")), reverse=True)
    return [f"{one['involvedObject'].get('name')}: {one['message']}" for one in told]


def _name(one: t.Mapping[str, t.Any]) -> str:
    return f"{one['metadata']['namespace']}/{one['metadata']['name']}"
