# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node has of the kernel: a network namespace, a link to it, a bridge for pods, control groups, settings.

What is made is made for this node alone, and what is removed is what was made: networks lie in a namespace that nobody
else is in, control groups in one of the node's name, and settings of the whole machine are written down before they
change.
"""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..errors import ProcessError
from . import node_cgroups, node_shims
from .files import replace_file

# What the kubelet sets on every machine (it is its default to), and what is put back when the node goes.
_SETTINGS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
# What Istio's network plugin keeps between its runs, a credential among it.
MESH_FOLDER = "/run/istio-cni"
# Folders whose place is fixed in containerd, its network plugins, Istio's among them, and the kubelet.
SHARED_FOLDERS = (
    "/run/containerd",
    "/run/containerd/s",
    MESH_FOLDER,
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/cni/results",
    "/var/lib/kubelet",
    "/var/lib/kubelet/device-plugins",
    "/var/log/containers",
)
# Where every kubelet listens for device plugins, whatever its own folder is: no machine can have two.
KUBELET_SOCKET = Path("/var/lib/kubelet/device-plugins/kubelet.sock")

# A fixed address keeps two first pods from racing to give the bridge one.
_BRIDGE_MAC = "02:4b:38:00:00:01"
_INSIDE = "machine"

# Pods answer whom they are asked by, and reach the node and each other; the machine is closed to them.
_RULES = """\
table inet inferencebox {{
	chain forward {{
		type filter hook forward priority filter; policy accept;
		iifname "{bridge}" oifname "{link}" ct state established,related accept
		iifname "{bridge}" oifname "{link}" reject
	}}
}}
"""


@dataclass(frozen=True)
class Machine:
    """What a node has of the kernel.

    Attributes:
        directory: Folder of the node's state.
        link: The machine's end of the link.
        machine_address: The machine's address on it, with the prefix's length.
        node_address: The node's.
        bridge: Name of the bridge of pods.
        bridge_address: Its address, with the prefix's length.
        services: Network of the addresses of Services.
        cgroup: The control group of all pods.
    """

    directory: str
    link: str
    machine_address: str
    node_address: str
    bridge: str
    bridge_address: str
    services: str
    cgroup: str

    @property
    def namespace(self) -> str:
        """File that holds the network namespace open."""
        return f"{self.directory}/run/network"

    @property
    def record(self) -> Path:
        """File that says what was there before."""
        return record_of(self.directory)


def record_of(directory: str) -> Path:
    """File in a node's folder that says what was there before; with it, the node has something of the machine."""
    return Path(directory, "machine.json")


def ensure(machine: Machine, *, check: bool = False) -> list[str]:
    """Make what is missing.

    Args:
        machine: What is wanted.
        check: Only tell.

    Returns:
        What was, or would be, made.

    Raises:
        ProcessError: The kernel refuses it.
    """
    made = []
    for what, missing, make in _steps(machine):
        # In check mode what is in the namespace cannot be looked at before it is there.
        if missing(machine):
            made.append(what)
            if not check:
                make(machine)
    return made


Look = t.Callable[[Machine], bool]
Make = t.Callable[[Machine], None]


def _steps(machine: Machine) -> list[tuple[str, Look, Make]]:
    return [
        ("record of the machine's settings", lambda m: not m.record.exists(), _write_record),
        ("folders of containerd and its plugins", _no_folders, _make_folders),
        ("sockets that a crash has left, removed", _dead_sockets, _remove_dead_sockets),
        (
            "controllers of control groups",
            lambda _: bool(node_cgroups.disabled()),
            lambda _: node_cgroups.enable(),
        ),
        (
            f"control group {machine.cgroup}",
            lambda m: bool(node_cgroups.missing(m.cgroup)),
            lambda m: node_cgroups.make(m.cgroup),
        ),
        (f"network namespace {machine.namespace}", _no_namespace, _make_namespace),
        (f"link {machine.link}", _no_link, _make_link),
        (f"bridge {machine.bridge}", _no_bridge, _make_bridge),
        (f"route to {machine.services}", _no_route, _make_route),
        ("forwarding between pods", _no_forwarding, _forward),
        ("rules that close the machine to pods", _no_rules, _make_rules),
    ]


def enters(machine: Machine) -> list[str]:
    """Words before a command that runs in the node's network."""
    return ["nsenter", f"--net={machine.namespace}"]


def has_namespace(machine: Machine) -> bool:
    """Whether the file is a namespace, and not what was left of one after the machine's restart."""
    # os.path.ismount does not see files.
    real = os.path.realpath(machine.namespace)
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return any(line.split()[4] == real for line in mounts)


def read_record(machine: Machine) -> dict[str, t.Any]:
    """What was there before the node; empty where nothing was written down."""
    try:
        found: dict[str, t.Any] = json.loads(machine.record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def setting(name: str) -> Path:
    """File of a setting of the kernel."""
    return Path("/proc/sys", name)


def _write_record(machine: Machine) -> None:
    settings = {
        name: setting(name).read_text(encoding="ascii").strip()
        for name in _SETTINGS
        if setting(name).exists()
    }
    folders = [path for path in SHARED_FOLDERS if not Path(path).is_dir()]
    record = {
        "settings": settings,
        "folders": folders,
        "controllers": node_cgroups.enabled(),
        "bridges_filtered": _BRIDGES.exists(),
    }
    content = json.dumps(record, indent=2) + "\n"
    replace_file(str(machine.record), content.encode(), 0o600)


def _no_folders(_: Machine) -> bool:
    return not all(Path(path).is_dir() for path in SHARED_FOLDERS)


def _make_folders(_: Machine) -> None:
    for path in SHARED_FOLDERS:
        Path(path).mkdir(mode=0o711, parents=True, exist_ok=True)


def _dead_sockets(machine: Machine) -> bool:
    return bool(node_shims.dead_sockets(machine.directory))


def _remove_dead_sockets(machine: Machine) -> None:
    for path in node_shims.dead_sockets(machine.directory):
        path.unlink(missing_ok=True)


def _no_namespace(machine: Machine) -> bool:
    return not has_namespace(machine)


def _make_namespace(machine: Machine) -> None:
    Path(machine.namespace).touch(mode=0o600)
    _run("unshare", f"--net={machine.namespace}", "true")
    _inside(machine, "ip", "link", "set", "lo", "up")


def _no_link(machine: Machine) -> bool:
    if not Path("/sys/class/net", machine.link).exists() or not has_namespace(machine):
        return True
    # One to a namespace that is gone goes with it, but some time later.
    return not _link_inside(machine, _INSIDE)


def _make_link(machine: Machine) -> None:
    _quietly("ip", "link", "delete", machine.link)
    # ip knows namespaces by a name or by a process in them, and this one has no name.
    _run("ip", "link", "add", machine.link, "type", "veth", "peer", "name", f"{machine.link}p")
    with _holder(machine) as pid:
        _run("ip", "link", "set", f"{machine.link}p", "netns", str(pid))
    _inside(machine, "ip", "link", "set", f"{machine.link}p", "name", _INSIDE)
    _inside(machine, "ip", "address", "add", machine.node_address, "dev", _INSIDE)
    _inside(machine, "ip", "link", "set", _INSIDE, "up")
    _run("ip", "address", "add", machine.machine_address, "dev", machine.link)
    _run("ip", "link", "set", machine.link, "up")


def _no_bridge(machine: Machine) -> bool:
    return not _link_inside(machine, machine.bridge)


def _make_bridge(machine: Machine) -> None:
    words = ("link", "add", machine.bridge, "address", _BRIDGE_MAC, "type", "bridge")
    _inside(machine, "ip", *words)
    _inside(machine, "ip", "address", "add", machine.bridge_address, "dev", machine.bridge)
    _inside(machine, "ip", "link", "set", machine.bridge, "up")


def _no_route(machine: Machine) -> bool:
    if not has_namespace(machine):
        return True
    return _quietly(*enters(machine), "ip", "route", "show", machine.services) == ""


def _make_route(machine: Machine) -> None:
    # Where a Service leads is decided when a packet leaves, and without a route none would.
    _inside(machine, "ip", "route", "add", machine.services, "dev", machine.bridge)


# These are of the network namespace in which they are read.
_FORWARDING = (
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/bridge/bridge-nf-call-iptables",
)
# Where br_netfilter is loaded.
_BRIDGES = Path("/proc/sys/net/bridge")


def _no_forwarding(machine: Machine) -> bool:
    if not has_namespace(machine):
        return True
    said = _quietly(*enters(machine), "cat", *_FORWARDING)
    return said.split() != ["1"] * len(_FORWARDING)


def _forward(machine: Machine) -> None:
    if not _BRIDGES.exists():
        _run("modprobe", "br_netfilter")
        # From now on it would filter what passes through any bridge of the machine, too. Each network has a setting of its own.
        for each in _filtering():
            each.write_text("0", encoding="ascii")
    for path in _FORWARDING:
        _inside(machine, "sh", "-c", f"echo 1 > {path}")


def _filtering() -> list[Path]:
    return sorted(_BRIDGES.glob("bridge-nf-call-*"))


def leave_bridges(record: t.Mapping[str, t.Any]) -> None:
    """Unload br_netfilter if a node has loaded it, unless somebody uses it by now.

    Args:
        record: What was there before.
    """
    if record.get("bridges_filtered", True) or not _BRIDGES.exists():
        return
    if all(path.read_text(encoding="ascii").strip() == "0" for path in _filtering()):
        _quietly("modprobe", "--remove", "br_netfilter")


def _rules(machine: Machine) -> str:
    return _RULES.format(bridge=machine.bridge, link=_INSIDE)


def _no_rules(machine: Machine) -> bool:
    if not has_namespace(machine):
        return True
    said = _quietly(*enters(machine), "nft", "list", "table", "inet", "inferencebox")
    return said != _rules(machine)


def _make_rules(machine: Machine) -> None:
    # Both in one transaction: there is no moment without rules.
    text = f"table inet inferencebox\ndelete table inet inferencebox\n{_rules(machine)}"
    _run(*enters(machine), "nft", "-f", "-", text=text)


def _link_inside(machine: Machine, name: str) -> bool:
    if not has_namespace(machine):
        return False
    return _quietly(*enters(machine), "ip", "link", "show", "dev", name) != ""


def _inside(machine: Machine, *words: str) -> None:
    _run(*enters(machine), *words)


class _holder:  # noqa: N801 - used as a statement
    """A process in the node's network, by whose number links can be moved there."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def __enter__(self) -> int:
        words = [*enters(self._machine), "sh", "-c", "echo ready; read _"]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def _run(*words: str, text: str | None = None) -> str:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessError(f"`{' '.join(words)}` fails: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _quietly(*words: str) -> str:
    """What a command says, nothing where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout
