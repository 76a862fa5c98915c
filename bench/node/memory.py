# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory of an idle platform: its pods as the kubelet reads it from their control groups, and the node's own programs."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import process
from bench.errors import BenchError
from bench.summary import Json
from tests.node.own_node import OwnNode

# Longer than the kubelet keeps a reading, and than a start leaves work behind.
_SETTLE_SECONDS = 60.0
_QUICK_SECONDS = 10.0
_SIDECAR = "istio-proxy"


@dataclass(frozen=True)
class Used:
    """Memory of a platform.

    Attributes:
        settle_seconds: How long nothing was asked before.
        node: The node as the API server describes it.
        pods: {namespace, workload, containers, working_set, rss, sidecar}, bytes of memory; `sidecar` is its part of the working set.
        programs: {name, processes, pss, rss}, KiB.
    """

    settle_seconds: float
    node: Json
    pods: list[Json]
    programs: list[Json]

    def rows(self) -> Json:
        """What the results keep."""
        return {
            "settle_seconds": self.settle_seconds,
            "pods": self.pods,
            "programs": self.programs,
        }


def measure(own: OwnNode, *, quick: bool) -> Used:
    """Look at a platform that was started and asked no more than its start asks.

    Raises:
        BenchError: The cluster does not tell.
    """
    settle = _QUICK_SECONDS if quick else _SETTLE_SECONDS
    time.sleep(settle)
    (node,) = _asked(own, "get", "nodes", "--output=json")["items"]
    path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
    read = _asked(own, "get", f"--raw={path}")["pods"]
    found = _asked(own, "get", "pods", "--all-namespaces", "--output=json")["items"]
    workloads = {pod["metadata"]["uid"]: workload(pod) for pod in found}
    pods = [row(one, workloads[one["podRef"]["uid"]]) for one in read]
    pods.sort(key=lambda one: (one["namespace"], one["workload"]))
    return Used(settle, node, pods, list(_programs(own)))


def versions(used: Used) -> dict[str, str]:
    """Versions of what runs pods."""
    info = used.node["status"]["nodeInfo"]
    return {
        "Kubernetes": info["kubeletVersion"].removeprefix("v"),
        "containerd": info["containerRuntimeVersion"].removeprefix("containerd://"),
    }


def row(one: Json, name: str) -> Json:
    """A row of the results, from a pod of the kubelet's summary; the containers' sum leaves out the pause process."""
    containers = one["containers"]

    def total(key: str, *, sidecar: bool = False) -> int:
        return sum(c["memory"][key] for c in containers if not sidecar or c["name"] == _SIDECAR)

    return {
        "namespace": one["podRef"]["namespace"],
        "workload": name,
        "containers": len(containers),
        "working_set": total("workingSetBytes"),
        "rss": total("rssBytes"),
        # Where it is alone, it is the gateway itself.
        "sidecar": total("workingSetBytes", sidecar=True) if len(containers) > 1 else 0,
    }


def workload(pod: Json) -> str:
    """What a pod belongs to, without what differs from pod to pod."""
    metadata = pod["metadata"]
    owners = metadata.get("ownerReferences") or []
    name = str(owners[0]["name"] if owners else metadata["name"])
    template = (metadata.get("labels") or {}).get("pod-template-hash", "")
    return name.removesuffix(f"-{template}") if template else name


def _asked(own: OwnNode, *words: str) -> Json:
    done = own.kubectl(*words)
    if done.returncode:
        raise BenchError(f"kubectl {' '.join(words)} failed: {done.stderr.strip()}")
    answer: Json = json.loads(done.stdout)
    return answer


def _programs(own: OwnNode) -> Iterator[Json]:
    """The node's own programs, whose command lines name its folder; those of pods do not."""
    found: dict[str, list[Json]] = {}
    for folder in process.everyone():
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
            used = process.memory(int(folder.name)) if f"{own.state}/" in words else {}
        except (OSError, KeyError, IndexError):  # it has ended meanwhile, or is of the kernel
            continue
        if used:
            found.setdefault(program(words.split("\0")), []).append(used)
    for name, used_by in sorted(found.items()):
        sums: dict[str, t.Any] = {key: sum(one[key] for one in used_by) for key in ("pss", "rss")}
        yield {"name": name, "processes": len(used_by), **sums}


def program(words: list[str]) -> str:
    """Name of what a command line starts; of an interpreter, what it interprets."""
    name = Path(words[0]).name
    if not name.startswith("python"):
        return name
    arguments = [word for word in words[1:] if word]
    if "-m" in arguments:
        return arguments[arguments.index("-m") + 1]
    return next((Path(word).name for word in arguments if not word.startswith("-")), name)
