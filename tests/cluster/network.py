# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Networks of their own for programs that listen on fixed ports or on all addresses.

Nothing in them has a way out: a `Network` has loopback alone, a `Lan` is a bridge that this machine and the hosts
made on it reach, and nobody else.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Private addresses (RFC 1918), one /24 for each network.
_PREFIX = "10.99"
_NAMES = Path("/run/netns")
# Tells the networks of one process apart.
_made = itertools.count()


class Network:
    """A network namespace with loopback alone."""

    def __init__(self, name: str) -> None:
        """Make the namespace `name`, anew if it is there."""
        self.name = name
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")

    def command(self, *words: str) -> list[str]:
        """Write a command so that it runs inside."""
        return ["nsenter", f"--net={_NAMES / self.name}", *words]

    def remove(self) -> None:
        """Remove the namespace."""
        _ip("netns", "delete", self.name)

    def start(
        self, words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a process inside, its output in `log`."""
        with log.open("wb") as output:
            return subprocess.Popen(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )


class Lan(Network):
    """A bridge in a namespace of its own, with an address that this machine reaches.

    Attributes:
        address: The namespace's own address.
        subnet: All addresses on the bridge.
    """

    def __init__(self) -> None:
        """Make a bridge with a subnet that no other network of this machine uses."""
        _sweep()
        super().__init__(f"ib-lan-{os.getpid()}-{next(_made)}")
        self._hosts: dict[str, Network] = {}
        self._link = ""
        self._numbers = itertools.count(10)
        try:
            self._connect()
        except BaseException:
            self.remove()
            raise

    def _connect(self) -> None:
        number = next(n for n in range(256) if _claim(n, self.name))
        prefix = f"{_PREFIX}.{number}"
        self._link = _link(number)
        self.address, self.subnet = f"{prefix}.1", f"{prefix}.0/24"
        self._prefix = prefix
        _ip("address", "add", f"{prefix}.254/24", "dev", self._link)
        _ip("link", "set", self._link, "up")
        inside = ("-n", self.name)
        _ip(*inside, "link", "add", "lan", "type", "bridge")
        _ip(*inside, "address", "add", f"{prefix}.1/24", "dev", "lan")
        _ip(*inside, "link", "set", "machine", "master", "lan")
        for device in ("lan", "machine"):
            _ip(*inside, "link", "set", device, "up")

    def host(self, label: str) -> tuple[Network, str]:
        """Make a host on the bridge.

        Args:
            label: Tells the hosts of this network apart.

        Returns:
            Its network and its address.
        """
        number = next(self._numbers)
        made = Network(f"{self.name}-{number}")
        self._hosts[label] = made
        address = f"{self._prefix}.{number}"
        port = f"host{number}"
        _ip(
            "-n", self.name, "link", "add", port, "type", "veth", "peer", "eth0", "netns", made.name
        )
        _ip("-n", self.name, "link", "set", port, "master", "lan", "up")
        _ip("-n", made.name, "address", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", made.name, "link", "set", "eth0", "up")
        _ip("-n", made.name, "route", "add", "default", "via", self.address)
        return made, address

    def network(self, label: str) -> Network:
        """Find a host's network."""
        return self._hosts[label]

    def drop(self, label: str) -> None:
        """Remove a host."""
        self._hosts.pop(label).remove()

    def remove(self) -> None:
        """Remove the network with its hosts."""
        for label in list(self._hosts):
            self.drop(label)
        # Both ends of the link go at once; with the namespace alone they would, some time later.
        subprocess.run(["ip", "link", "delete", self._link], capture_output=True, check=False)
        super().remove()


def _link(number: int) -> str:
    return f"ib-lan{number}"


def _claim(number: int, name: str) -> bool:
    """Make the link to this machine, whose name says who has this subnet."""
    routes = subprocess.run(
        ["ip", "-4", "route", "show", f"{_PREFIX}.{number}.0/24"],
        capture_output=True,
        text=True,
        check=True,
    )
    if routes.stdout.strip():
        return False
    words = ["ip", "link", "add", _link(number), "type", "veth", "peer", "machine", "netns", name]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _sweep() -> None:
    """Remove what tests left that were killed: their number is no process any more."""
    if not _NAMES.is_dir():
        return
    for path in _NAMES.iterdir():
        found = re.fullmatch(r"ib-lan-(\d+)(-\d+)+", path.name)
        if found and not Path("/proc", found[1]).exists():
            subprocess.run(["ip", "netns", "delete", path.name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
