# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""End what a node leaves when its own programs have ended: containers, mounts, networks, control groups, settings."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from ..errors import ProcessError
from . import node_cgroups, node_shims
from .node_machine import (
    KUBELET_SOCKET,
    MESH_FOLDER,
    Machine,
    has_namespace,
    leave_bridges,
    read_record,
    setting,
)

_SECONDS = 30.0
_POLL_SECONDS = 0.1
_LOGS = "/var/log/containers"
_NETWORK_RESULTS = Path("/var/lib/cni/results")


def present(machine: Machine) -> bool:
    """Whether anything of a node is there."""
    return (
        machine.record.exists()
        or has_namespace(machine)
        or bool(_mounts(machine))
        or node_cgroups.exists(machine.cgroup)
        or bool(node_shims.processes(machine.directory))
    )


def end(machine: Machine) -> None:
    """Leave nothing of a node but the files below its own folder.

    Args:
        machine: The node, whose own programs have been stopped.

    Raises:
        ProcessError: Something does not go.
    """
    sockets = node_shims.sockets(machine.directory)
    _end_processes(machine)
    _unmount(machine)
    _remove_link(machine)
    node_cgroups.remove(machine.cgroup)
    _remove_shared(machine, sockets)
    _put_back(machine)
    shutil.rmtree(Path(machine.directory, "run"), ignore_errors=True)
    machine.record.unlink(missing_ok=True)


def _end_processes(machine: Machine) -> None:
    deadline = time.monotonic() + _SECONDS
    # Shims first: they would note the ends of their containers.
    while left := node_shims.processes(machine.directory) | node_cgroups.processes(machine.cgroup):
        for pid in node_shims.processes(machine.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node_cgroups.kill(machine.cgroup)
        if time.monotonic() > deadline:
            raise ProcessError(f"processes of containers do not end: {sorted(left)}")
        time.sleep(_POLL_SECONDS)


def _mounts(machine: Machine) -> list[str]:
    """What is mounted below the node's folder, the deepest first."""
    below = f"{os.path.realpath(machine.directory)}/"
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    places = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return sorted((place for place in places if place.startswith(below)), reverse=True)


def _unmount(machine: Machine) -> None:
    deadline = time.monotonic() + _SECONDS
    while left := _mounts(machine):
        for place in left:
            subprocess.run(["umount", place], capture_output=True, check=False)
        if time.monotonic() > deadline:
            raise ProcessError(f"cannot unmount {', '.join(_mounts(machine))}")
        if _mounts(machine):
            time.sleep(_POLL_SECONDS)


def _remove_link(machine: Machine) -> None:
    # With the namespace alone it would go, but some time later.
    subprocess.run(["ip", "link", "delete", machine.link], capture_output=True, check=False)


def _remove_shared(machine: Machine, sockets: list[Path]) -> None:
    if (
        machine.record.exists()
        and KUBELET_SOCKET.exists()
        and not node_shims.answers(KUBELET_SOCKET)
    ):
        KUBELET_SOCKET.unlink()
    for path in sockets:
        path.unlink(missing_ok=True)
    own = f"{machine.directory}/"
    for link in Path(_LOGS).glob("*"):
        if link.is_symlink() and os.readlink(link).startswith(own):
            link.unlink()
    _remove_results(machine)
    # The deepest first, and only what was made for this node and nobody else has used since.
    for folder in sorted(read_record(machine).get("folders", ()), reverse=True):
        if folder == MESH_FOLDER:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for path in Path(folder).glob("*"):
            if path.is_socket() and not node_shims.answers(path):
                path.unlink()
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _remove_results(machine: Machine) -> None:
    """What network plugins have kept of pods that are gone: NETWORK-CONTAINER-INTERFACE."""
    prefix = f"{machine.link}-"
    for path in _NETWORK_RESULTS.glob(f"{prefix}*"):
        container = path.name.removeprefix(prefix).rpartition("-")[0]
        for loopback in _NETWORK_RESULTS.glob(f"cni-loopback-{container}-*"):
            loopback.unlink()
        path.unlink()


def _put_back(machine: Machine) -> None:
    record = read_record(machine)
    if "controllers" in record:
        node_cgroups.disable(set(node_cgroups.enabled()) - set(record["controllers"]))
    leave_bridges(record)
    for name, value in record.get("settings", {}).items():
        file = setting(name)
        if file.read_text(encoding="ascii").strip() != value:
            file.write_text(value, encoding="ascii")
