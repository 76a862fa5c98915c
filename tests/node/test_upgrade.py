# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node without a platform goes on with the next minor release of Kubernetes, with its data, and never back."""

from __future__ import annotations

import json
import shutil
import threading
import typing as t
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from inferencebox.programs import building, collecting
from tests.node import bundle, machine
from tests.node.own_node import ADDRESS, OwnNode
from tests.node.releases import FIRST, FIRST_TOOL, NEXT, NEXT_TOOL, containers, release
from tests.node.traffic import wait_until

pytestmark = machine.needed

_PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
_NAME = "answering"
_BETWEEN_SECONDS = 0.05
_ASK_SECONDS = 10.0
# The name service's program, which answers HTTP as well, and whose image is on every node.
_OBJECTS = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _NAME},
            "data": {
                "Corefile": ".:1053 {\n    health :8080\n    template ANY ANY {\n        rcode NXDOMAIN\n    }\n}\n"
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": _NAME},
            "spec": {
                "selector": {"matchLabels": {"app": _NAME}},
                "template": {
                    "metadata": {"labels": {"app": _NAME}},
                    "spec": {
                        "containers": [
                            {
                                "name": "main",
                                "image": bundle.TRAIN.node_images["coredns"],
                                "command": ["/coredns", "-conf", "/etc/coredns/Corefile"],
                                "readinessProbe": {
                                    "httpGet": {"path": "/health", "port": 8080},
                                    "periodSeconds": 1,
                                },
                                "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
                            }
                        ],
                        "volumes": [{"name": "config", "configMap": {"name": _NAME}}],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": _NAME},
            "spec": {
                "type": "NodePort",
                "selector": {"app": _NAME},
                "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}],
            },
        },
    ],
}
_URL = f"http://{ADDRESS}:30080/health"


def ask() -> str:
    """Ask by a new connection: the status, or how asking failed."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(_URL, timeout=_ASK_SECONDS) as answer:
            return str(answer.status)
    except OSError as error:
        return repr(error)


class Asking:
    """Asks all the time.

    Attributes:
        answers: How often each answer came.
    """

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(_BETWEEN_SECONDS):
            self.answers[ask()] += 1


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node of the first release, with a Deployment that answers behind a Service."""
    directory = tmp_path_factory.mktemp("upgraded")
    filled = directory / "bundle"
    filled.mkdir()
    bundle.fill(filled)
    own = OwnNode(directory, filled, {"platform_images": {"source": "published"}})
    try:
        own.start()
        done = own.kubectl("apply", "--filename=-", given=json.dumps(_OBJECTS))
        assert done.returncode == 0, done.stderr
        wait_until(lambda: ask() == "200", "the Deployment does not answer")
        yield own
    finally:
        own.remove()


def put(node: OwnNode, tool: str, *names: str) -> None:
    """Put programs of another release in place of the node's."""
    for name in names:
        target = node.bundle / "programs" / name
        part = target.with_suffix(".part")
        shutil.copy2(building.directory(tool) / name, part)
        part.rename(target)


def pretend(node: OwnNode, name: str, said: str) -> None:
    """Put a program in place that says of which release it is, and can nothing else."""
    path: Path = node.bundle / "programs" / name
    path.unlink()
    path.write_text(f'#!/bin/sh\n[ "$*" = --version ] && echo "{said}"\n')
    path.chmod(0o755)


def refused(node: OwnNode) -> str:
    """What a run says that is refused, and that has touched nothing."""
    before = (node.processes(), release(node), containers(node))
    said = " ".join(node.fail().split())
    assert (node.processes(), release(node), containers(node)) == before
    return said


def test_a_skipped_minor_release_is_refused_before_anything_is_touched(node: OwnNode) -> None:
    major, minor = map(int, FIRST.split("."))
    pretend(node, "kube-apiserver", f"Kubernetes v{major}.{minor + 2}.0")
    assert f"Run programs of {NEXT} first" in refused(node)
    put(node, FIRST_TOOL, "kube-apiserver")


def test_a_kubelet_that_is_newer_than_the_api_server_is_refused(node: OwnNode) -> None:
    put(node, NEXT_TOOL, "kubelet")
    assert "no part may be newer than its API server" in refused(node)
    put(node, FIRST_TOOL, "kubelet")


def test_one_that_does_not_come_up_says_the_way_back_and_pods_go_on(node: OwnNode) -> None:
    before = containers(node)
    pretend(node, "kube-apiserver", f"Kubernetes v{NEXT}.0")
    with Asking() as asking:
        said = " ".join(node.fail().split())
    assert "Put the programs of v" in said
    assert set(asking.answers) == {"200"}
    put(node, FIRST_TOOL, "kube-apiserver")
    assert node.start() > 0
    assert release(node) == (FIRST, FIRST)
    assert containers(node) == before


def test_the_next_minor_release_takes_over_with_data_and_pods(node: OwnNode) -> None:
    before, running = containers(node), node.processes()
    node.kubectl("create", "configmap", "kept")
    collecting.collect(node.bundle / "programs", [NEXT_TOOL])
    assert node.start("--check") > 0
    assert node.processes() == running
    with Asking() as asking:
        assert node.start() > 0
    wait_until(lambda: release(node) == (NEXT, NEXT), "the node does not tell its new release")
    assert node.kubectl("get", "configmap", "kept").returncode == 0
    after = node.processes()
    assert {name for name in running if running[name] != after[name]} == set(_PARTS)
    assert containers(node) == before
    assert set(asking.answers) == {"200"}, asking.answers
    assert node.start() == 0


def test_pods_are_still_made_and_removed(node: OwnNode) -> None:
    before = containers(node)
    done = node.kubectl("rollout", "restart", f"deployment/{_NAME}")
    assert done.returncode == 0, done.stderr
    done = node.kubectl("rollout", "status", f"deployment/{_NAME}", "--timeout=300s")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: len(containers(node)) == len(before), "the pods before are not removed")
    assert len(set(containers(node)) - set(before)) == 1
    assert ask() == "200"


def test_the_release_before_is_refused_once_the_next_has_run(node: OwnNode) -> None:
    put(node, FIRST_TOOL, *_PARTS)
    assert f"Put programs of {NEXT} back" in refused(node)
    put(node, NEXT_TOOL, *_PARTS)
    assert node.start() == 0
