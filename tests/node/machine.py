# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a machine a node may not leave changed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

# Folders whose place is fixed in what a node runs.
_FOLDERS = (
    "/run/containerd",
    "/run/istio-cni",
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/etc/cni",
    "/opt/cni",
    "/opt/containerd",
    "/etc/kubernetes",
    "/usr/libexec/kubernetes",
)
_SETTINGS = ("kernel", "vm", "net/ipv4", "net/bridge", "net/netfilter")
# Files that tell of the moment, and networks of other tests that may run beside this one.
_MOVING = {"random", "ns_last_pid", "tainted", "pty", "nf_conntrack_count", "stat_refresh"}
_OTHERS = "ib-lan"


def lack() -> str:
    """Say what this machine lacks that a node needs of it, as many containers do; empty where it has all."""
    if os.geteuid() != 0:
        return "a node needs root, for networks and containers"
    spaces = ["unshare", "--net", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    if subprocess.run(spaces, capture_output=True, check=False).returncode != 0:
        return "a node needs namespaces of networks and mounts, and root may make none here"
    groups = Path("/sys/fs/cgroup")
    writable = [
        groups / "pids" if (groups / "pids").is_dir() else groups,
        Path("/proc/sys/vm/overcommit_memory"),
    ]
    closed = [str(path) for path in writable if not os.access(path, os.W_OK)]
    return f"a node needs to write to {' and '.join(closed)}" if closed else ""


_LACK = lack()
# Of the modules that make a node.
needed = pytest.mark.skipif(bool(_LACK), reason=_LACK or "it has all")


def look(directory: Path) -> dict[str, set[str]]:
    """Take down links, addresses, routes, rules, mounts, control groups and their controllers, folders, settings and processes.

    Args:
        directory: Whoever names it in its command line is a process of the node.
    """
    return {
        "links": {row["ifname"] for row in _ip("link")} - {None},
        "routes": {
            f"{row['dst']} {row.get('dev')}" for row in _ip("route", "show", "table", "all")
        },
        "rules": set(_said("nft", "list", "ruleset").splitlines()),
        "mounts": {
            line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
        },
        "control groups": {folder for folder, _, _ in os.walk("/sys/fs/cgroup")},
        "controllers": _controllers(),
        "folders": {
            str(path)
            for name in _FOLDERS
            for path in [Path(name), *Path(name).rglob("*")]
            if path.exists() or path.is_symlink()
        },
        "settings": _settings(),
        "processes": _processes(directory),
    }


def differences(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    """What is there more or less than before, by what it is.

    Modules that the kernel has loaded for what ran stay, and bring settings of their own.
    """
    known = {row.split()[0] for row in before["settings"]}
    old = {row for row in after["settings"] if row.split()[0] in known}
    found = {
        what: sorted(rows ^ (old if what == "settings" else after[what]))
        for what, rows in before.items()
    }
    own = {what: [one for one in rows if _OTHERS not in one] for what, rows in found.items()}
    return {what: rows for what, rows in own.items() if rows}


def _controllers() -> set[str]:
    """Those of groups of the second version; in the first, each has a hierarchy of its own."""
    file = Path("/sys/fs/cgroup/cgroup.subtree_control")
    return set(file.read_text().split()) if file.exists() else set()


def _settings() -> set[str]:
    found = set()
    for name in _SETTINGS:
        for path in Path("/proc/sys", name).rglob("*"):
            if _MOVING & set(path.parts) or not path.is_file():
                continue
            # Some may only be written to, and those of a link go with the link.
            if (
                os.access(path, os.R_OK)
                and path.stat().st_mode & 0o444
                and "/conf/" not in str(path)
                and "/neigh/" not in str(path)
            ):
                try:
                    found.add(f"{path} {path.read_text().strip()}")
                except OSError:
                    continue
    return found


def _processes(directory: Path) -> set[str]:
    found = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{directory}/" in words and int(entry) != os.getpid() and "pytest" not in words:
            found.add(words.replace("\0", " "))
    return found


def _ip(*words: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(_said("ip", "-json", *words) or "[]")
    return rows


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
