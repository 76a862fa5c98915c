# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole life of a node on this machine, from its first start to its removal without a trace."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from tests.node import bundle, machine
from tests.node.own_node import ADDRESS, MACHINE_ADDRESS, OwnNode

_WAIT_SECONDS = 300.0
_API = "kubernetes.default.svc.cluster.local"

pytestmark = machine.needed

Look = dict[str, set[str]]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Look:
    return machine.look(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, before: Look) -> t.Iterator[OwnNode]:
    """A node that runs."""
    directory = tmp_path_factory.mktemp("node")
    filled = directory / "bundle"
    filled.mkdir()
    bundle.fill(filled)
    own = OwnNode(directory, filled, {"platform_images": {"source": "published"}})
    # Nothing is there yet: the one moment at which check mode can be asked what it then does.
    assert own.start("--check") > 0
    assert not own.state.exists()
    assert machine.differences(before, machine.look(own.directory)) == {}
    try:
        assert own.start() > 0
        yield own
    finally:
        own.remove()


def wait_until(happened: t.Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def is_ready(node: OwnNode) -> bool:
    """Whether the node says so of itself, of now and not of before it was stopped."""
    condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return node.kubectl("get", "node", "nodetest", "-o", condition).stdout == "True"


def resolve(node: OwnNode, name: str) -> str:
    """Ask the cluster's name service, at the address of its Service."""
    code = (
        "import socket, struct, sys\n"
        "question = b''.join(bytes([len(l)]) + l.encode() for l in sys.argv[1].split('.')) + b'\\0'\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)\n"
        "s.sendto(struct.pack('!6H', 7, 256, 1, 0, 0, 0) + question + struct.pack('!2H', 1, 1), ('10.96.0.10', 53))\n"
        "print(socket.inet_ntoa(s.recv(512)[-4:]))\n"
    )
    done = node.inside(sys.executable, "-c", code, name)
    return done.stdout.strip() or done.stderr


def pod_process() -> int:
    """A process in the name service's pod, which has the pod's network."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
            group = Path("/proc", entry, "cgroup").read_text()
        except OSError:
            continue
        if words[0] == b"/coredns" and "/inferencebox-nodetest/" in group:
            return int(entry)
    raise AssertionError("no process of the name service")


def test_it_is_ready_and_names_are_found_through_a_service(node: OwnNode) -> None:
    wait_until(lambda: is_ready(node), "the node is not ready")
    # Rules of Services follow their pods, a moment later.
    wait_until(lambda: resolve(node, _API) == "10.96.0.1", "no names are found")


def test_a_second_run_changes_nothing_and_check_mode_says_so(node: OwnNode) -> None:
    assert node.start("--check") == 0
    assert node.start() == 0


def test_pods_are_looked_into_and_reached_from_the_machine(node: OwnNode) -> None:
    deployment = ("--namespace=kube-system", "deployment/coredns")
    assert "CoreDNS" in node.kubectl("logs", *deployment).stdout
    inside = node.kubectl("exec", *deployment, "--", "/coredns", "-version")
    assert inside.stdout.startswith("CoreDNS"), inside.stderr
    exposed = ("--name=figures", "--type=NodePort", "--port=9153", "--target-port=9153")
    done = node.kubectl("expose", *deployment, *exposed)
    assert done.returncode == 0, done.stderr
    port = node.kubectl(
        "get", "service", *deployment[:1], "figures", "-o", "jsonpath={.spec.ports[0].nodePort}"
    ).stdout
    ask = ["curl", "--silent", "--noproxy", "*", "--retry", "10", "--retry-connrefused"]
    figures = subprocess.run(
        [*ask, f"http://{ADDRESS}:{port}/metrics"], capture_output=True, text=True, check=True
    ).stdout
    assert "coredns_build_info" in figures


def test_without_a_certificate_only_health_is_told(node: OwnNode) -> None:
    ca = node.state / "pki/ca.crt"
    ask = ["curl", "--silent", "--noproxy", "*", "--cacert", str(ca), "--output", "/dev/null"]
    ask += ["--write-out", "%{http_code}"]
    codes = {
        path: subprocess.run(
            [*ask, f"https://{ADDRESS}:6443{path}"], capture_output=True, text=True, check=True
        ).stdout
        for path in ("/readyz", "/version", "/api/v1/namespaces")
    }
    assert codes == {"/readyz": "200", "/version": "401", "/api/v1/namespaces": "401"}


def test_pods_reach_neither_the_machine_nor_anything_beyond(node: OwnNode) -> None:
    enter = ["nsenter", f"--net=/proc/{pod_process()}/ns/net", sys.executable, "-c"]
    code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
    with socket.create_server((MACHINE_ADDRESS, 0)) as server:
        port = str(server.getsockname()[1])
        node_itself = node.inside(sys.executable, "-c", code, MACHINE_ADDRESS, port)
        assert node_itself.returncode == 0, node_itself.stderr
        for address in (MACHINE_ADDRESS, "192.0.2.1"):
            tried = subprocess.run(
                [*enter, code, address, port], capture_output=True, text=True, check=False
            )
            assert tried.returncode != 0, address
            assert "refused" in tried.stderr or "unreachable" in tried.stderr
    # The same from the same place works where it may.
    allowed = subprocess.run([*enter, code, ADDRESS, "6443"], capture_output=True, check=False)
    assert allowed.returncode == 0


def keep(node: OwnNode, name: str) -> None:
    """Leave something in the cluster's store."""
    done = node.kubectl("create", "configmap", name)
    assert done.returncode == 0, done.stderr


def is_kept(node: OwnNode, name: str) -> bool:
    return node.kubectl("get", "configmap", name).returncode == 0


@pytest.mark.parametrize("end", [OwnNode.kill, OwnNode.restart_machine])
def test_whatever_ended_it_it_comes_back_with_its_state(
    node: OwnNode, end: t.Callable[[OwnNode], None]
) -> None:
    name = end.__name__.replace("_", "-")
    keep(node, name)
    end(node)
    assert node.processes() == {}
    assert node.start() > 0
    wait_until(lambda: is_ready(node), "the node is not ready")
    assert is_kept(node, name)
    wait_until(lambda: resolve(node, _API) == "10.96.0.1", "no names are found")
    assert node.start() == 0


def test_another_build_of_one_program_restarts_it_and_nothing_else(node: OwnNode) -> None:
    before = node.processes()
    program = node.bundle / "programs/kube-scheduler"
    replaced = program.with_suffix(".new")
    shutil.copyfile(program, replaced)
    replaced.chmod(0o755)
    replaced.rename(program)
    assert node.start() == 1
    after = node.processes()
    assert {name for name in before if before[name] != after[name]} == {"kube-scheduler"}


def test_stopped_it_leaves_nothing_of_the_machine_taken_and_then_starts_again(
    node: OwnNode, before: Look
) -> None:
    keep(node, "before-the-stop")
    node.stop()
    assert machine.differences(before, machine.look(node.directory)) == {}
    assert node.start() > 0
    wait_until(lambda: is_ready(node), "the node is not ready")
    assert is_kept(node, "before-the-stop")


def test_a_program_that_is_missing_is_named_and_nothing_is_touched(node: OwnNode) -> None:
    program = node.bundle / "programs/kubelet"
    away = program.with_suffix(".away")
    program.rename(away)
    running = node.processes()
    try:
        said = " ".join(node.fail().split())
        assert "kubelet" in said
        assert "playbooks/bundle.yml" in said
        assert node.processes() == running
    finally:
        away.rename(program)


def test_removed_it_leaves_the_machine_as_it_was(node: OwnNode, before: Look) -> None:
    node.remove()
    assert machine.differences(before, machine.look(node.directory)) == {}
    assert not node.state.exists()
    assert not node.kubeconfig.exists()
    # For tests that come after this one in another order.
    node.start()
