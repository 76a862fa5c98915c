# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks against a cluster, and what they say they did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import RefusedError

from inferencebox.programs import building
from tests.cluster import definitions
from tests.cluster.steps import Object, Platform

_ROOT = Path(__file__).resolve().parents[2]
_SHOWN_CHARACTERS = 4000
# What comes and goes by itself.
_FLEETING = frozenset({"Event", "Lease", "APIService", "IPAddress"})
# Group, kind, namespace and name.
Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class Step:
    """One task, or one item of its loop.

    Attributes:
        task: Its name.
        item: Label of the item; empty where there is no loop.
        changed: Whether it changed something, or would.
        objects: What became of each object, by kind, namespace and name, where it applies some.
    """

    task: str
    item: str
    changed: bool
    objects: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Run:
    """One run of a playbook."""

    steps: list[Step]
    said: str

    @property
    def changed(self) -> list[Step]:
        """Steps that changed something, or would."""
        return [step for step in self.steps if step.changed]

    @property
    def statuses(self) -> Counter[str]:
        """Number of objects by what became of them, over all steps."""
        return Counter(status for step in self.steps for _, status in step.objects)


class Site:
    """Runs the project's playbooks with one inventory.

    Args:
        kubeconfig: Of the cluster.
        variables: What replaces variables of inventories/existing.
        directory: Where variables and Helm's own files go.
    """

    def __init__(self, kubeconfig: str, variables: t.Mapping[str, t.Any], directory: Path) -> None:
        self._kubeconfig = kubeconfig
        self._directory = directory
        self._variables = directory / "variables.json"
        self._variables.write_text(json.dumps(variables))

    def play(self, playbook: str, *options: str) -> Run:
        """Run a playbook to its end.

        Raises:
            AssertionError: It fails; the text is what it said last.
        """
        program = Path(sys.executable).with_name("ansible-playbook")
        helm = building.directory("helm")
        done = subprocess.run(
            [
                str(program),
                playbook,
                f"--inventory={_ROOT / 'inventories/existing'}",
                f"--extra-vars=@{self._variables}",
                *options,
            ],
            cwd=_ROOT,
            env={
                **os.environ,
                "KUBECONFIG": self._kubeconfig,
                "PATH": os.pathsep.join([str(helm), str(program.parent), os.environ["PATH"]]),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                **helm_homes(self._directory),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-_SHOWN_CHARACTERS:]
        found = json.loads(done.stdout[done.stdout.index("{") :])
        return Run(list(_steps(found)), said)


def _steps(found: t.Mapping[str, t.Any]) -> t.Iterator[Step]:
    for play in found["plays"]:
        for task in play["tasks"]:
            name = task["task"]["name"]
            for result in task["hosts"].values():
                for row in result.get("results") or [result]:
                    item = str(row.get("_ansible_item_label") or "")
                    yield Step(name, item, bool(row.get("changed")), _objects(row))


def _objects(row: t.Mapping[str, t.Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{one['kind']} {one['namespace']}/{one['name']}", one["status"])
        for one in row.get("objects") or []
        if isinstance(one, dict) and "status" in one
    )


def helm_homes(directory: Path) -> dict[str, str]:
    """Where Helm keeps its own files, as it reads it from its environment."""
    names = ("CACHE", "CONFIG", "DATA")
    return {f"HELM_{name}_HOME": str(directory / "helm" / name.lower()) for name in names}


def provide(kubeconfig: str) -> None:
    """What is there before: definitions and namespaces of components that no module carries, and a StorageClass."""
    spaces: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in ("monitoring", "envoy-ai-gateway-system")
    ]
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": annotations},
        "provisioner": "example.com/none",
    }
    found = [*definitions.of("prometheus-operator", "ai-gateway"), *spaces, storage]
    report = Platform("others", kubeconfig).apply(found)
    assert not report.problem, report.problem


def everything(api: Api) -> set[Identity]:
    """Identity of every object in a cluster, but for what comes and goes by itself."""
    return {
        (
            resource.group,
            resource.kind,
            metadata.get("namespace", ""),
            metadata["name"],
        )
        for resource in Resources.of(api).deletable()
        if resource.kind not in _FLEETING
        for metadata in _all(api, resource)
    }


def _all(api: Api, resource: Resource) -> list[dict[str, t.Any]]:
    path = resource.collection()
    try:
        return [one["metadata"] for one in api.list_all(path, "", metadata_only=True)]
    except RefusedError as error:
        # Discovery names a kind some seconds longer than it is served.
        if error.code == 404:
            return []
        raise
