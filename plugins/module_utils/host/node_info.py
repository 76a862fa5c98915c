# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a machine has of what a Kubernetes node needs; nothing is changed."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from . import node_cgroups, node_releases
from .node_machine import KUBELET_SOCKET, record_of

# Where distributions put programs, whatever PATH the run has, and network plugins, whose names are too plain for that.
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLUGINS = ("/usr/lib/cni", "/opt/cni/bin")
# Controllers that the kubelet refuses to do without.
_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
# linux/capability.h
_CAP_SYS_RESOURCE = 24


def facts(
    programs: t.Mapping[str, str],
    *,
    plugins: t.Sequence[str],
    directory: str | None,
    state: str,
    network: str,
    link: str,
    images: str,
    kubernetes: t.Mapping[str, str],
) -> dict[str, t.Any]:
    """Look at the machine.

    Args:
        programs: Debian's package of each wanted program by name; empty for upstream's own.
        plugins: Network plugins, which lie in one folder.
        directory: Where both are looked for first.
        state: Folder of the node's state.
        network: The network between the machine and the node.
        link: The machine's end of it, if the node is there already.
        images: Folder of the image archives.
        kubernetes: Which releases are admitted, as `node_releases.Admitted` has them.

    Returns:
        programs, stamps and releases by name, last_releases that ran, the folder of plugins, lowers_oom_scores; problems:
        every reason why no node can be made, a sentence each.
    """
    found = {name: _find(name, directory) for name in programs}
    known = {name: path for name, path in found.items() if path}
    lacking = [name for name, path in found.items() if not path]
    problems = []
    if os.geteuid() != 0:
        problems.append("A node needs root: run this as root, or become it.")
    problems += _missing(lacking, programs, directory)
    folder = _folder(plugins, directory)
    if not folder:
        problems.append(
            f"Network plugins that are missing in one folder: {', '.join(plugins)}. "
            "They come by: apt-get install containernetworking-plugins."
        )
    problems += _kernel()
    if KUBELET_SOCKET.exists() and not record_of(state).exists():
        problems.append(
            f"Another kubelet runs on this machine, or has left {KUBELET_SOCKET}: a machine can be one node only."
        )
    problems += _network(network, link)
    if not any(Path(images).glob("*.tar")):
        problems.append(
            f"{images} holds no image archives: fill it with playbooks/bundle.yml, or name another platform_bundle."
        )
    releases, unknown = node_releases.read(
        {name: path for name, path in known.items() if name in node_releases.PARTS}
    )
    last, unreadable = node_releases.recorded(state)
    admitted = node_releases.Admitted(**kubernetes)
    problems += [*unknown, *unreadable, *node_releases.problems(releases, last, admitted)]
    return {
        "programs": known,
        "plugins": folder or "",
        "stamps": {name: _stamp(path) for name, path in known.items()},
        "releases": releases,
        "last_releases": last,
        "lowers_oom_scores": _may_lower_oom_scores(),
        "problems": problems,
    }


def _find(name: str, directory: str | None) -> str | None:
    path = f"{directory}:{_SEARCHED}" if directory else _SEARCHED
    return shutil.which(name, path=path)


def _folder(plugins: t.Sequence[str], directory: str | None) -> str | None:
    for folder in filter(None, (directory, *_PLUGINS)):
        if all(os.access(os.path.join(folder, name), os.X_OK) for name in plugins):
            return folder
    return None


def _stamp(path: str) -> str:
    found = os.stat(path)
    return f"{found.st_size}:{found.st_mtime_ns}"


def _missing(
    names: t.Sequence[str], packages: t.Mapping[str, str], directory: str | None
) -> list[str]:
    if not names:
        return []
    built = [name for name in names if not packages[name]]
    taken = sorted({packages[name] for name in names if packages[name]})
    remedies = []
    if built:
        remedies.append("playbooks/bundle.yml, which builds them into the bundle")
    if taken:
        remedies.append(f"apt-get install {' '.join(taken)}")
    place = f" in {directory} or" if directory else ""
    lacking = f"Programs that are missing{place} on this machine: {', '.join(names)}."
    return [f"{lacking} They come by: {'; '.join(remedies)}."]


def _kernel() -> list[str]:
    problems = []
    known = Path("/proc/filesystems").read_text(encoding="ascii").split()
    if "overlay" not in known and not _loadable("overlay"):
        problems.append("The kernel has no file system overlay, on which containers lie.")
    if not Path("/proc/sys/net/bridge").exists() and not _loadable("br_netfilter"):
        problems.append("The kernel has no br_netfilter, by which Services reach pods on a bridge.")
    controllers = node_cgroups.available()
    lacking = [name for name in _CONTROLLERS if name not in controllers]
    if lacking:
        problems.append(
            f"Control groups without {', '.join(lacking)}: the kubelet cannot bound what pods use. "
            f"Mount or delegate them below {node_cgroups.ROOT}."
        )
    return problems


def _loadable(module: str) -> bool:
    program = _find("modprobe", None)
    if program is None:
        return False
    done = subprocess.run([program, "--dry-run", module], capture_output=True, check=False)
    return done.returncode == 0


def _network(network: str, link: str) -> list[str]:
    program = _find("ip", None)
    if program is None:
        return []  # said among the programs that are missing
    wanted = ipaddress.ip_network(network)
    done = subprocess.run(
        [program, "-json", "-4", "route", "show", "table", "main"],
        capture_output=True,
        text=True,
        check=False,
    )
    problems = []
    for route in json.loads(done.stdout or "[]"):
        if route["dst"] == "default" or route.get("dev") == link:
            continue
        if wanted.overlaps(ipaddress.ip_network(route["dst"])):
            problems.append(
                f"platform_cluster.node.network {network} overlaps with {route['dst']}, which this machine "
                f"reaches by {route.get('dev', 'another link')}: choose another."
            )
    return problems


def _may_lower_oom_scores() -> bool:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value, 16) >> _CAP_SYS_RESOURCE & 1)
    return False
