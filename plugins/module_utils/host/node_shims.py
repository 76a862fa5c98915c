# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shims: the processes by which containerd holds containers, one for each pod, and that outlive it."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

_PROGRAM = b"containerd-shim-runc-v2"


def processes(directory: str) -> set[int]:
    """Shims of a node, known by the address of its containerd, which is nobody else's.

    Args:
        directory: Folder of the node's state.
    """
    address = os.fsencode(f"{directory}/run/containerd.sock")
    found = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(_PROGRAM) and address in words:
                found.add(int(entry))
    return found


def sockets(directory: str) -> list[Path]:
    """Where they answer: in a folder of all containerds; what lies in each pod's folder says which is its own."""
    found = []
    for file in Path(directory, "run/containerd").glob("*/k8s.io/*/address"):
        address = file.read_text(encoding="utf-8").strip()
        found.append(Path(address.removeprefix("unix://")))
    return [path for path in found if path.exists()]


def dead_sockets(directory: str) -> list[Path]:
    """Those on which nobody answers any more. A containerd that starts forgets whose they were."""
    return [path for path in sockets(directory) if not answers(path)]


def answers(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
