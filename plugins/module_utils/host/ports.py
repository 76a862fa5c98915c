# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the platform may listen where the inventory says, asked before anything changes.

Envoy starts without a listener whose port is taken and only logs it: everything would look well and nobody be served.
"""

from __future__ import annotations

import errno
import socket
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h, as /proc/net/tcp shows it


def problem(address: str, port: int, home: str) -> str | None:
    """Say why nothing of a platform could listen at an address.

    Args:
        address: IP address.
        port: TCP port.
        home: The platform's directory; its own processes may hold the port already.

    Returns:
        The rest of a sentence that begins with address and port, or None where all is well.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections that have just ended do not count, only who listens.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return _explained(error, port, home)
    first = _first_open_port()
    if port < first:
        return f"is below {first}: only root may listen there, and no part of the platform runs as root"
    return None


def _first_open_port() -> int:
    """The lowest port at which anybody may listen (ip-sysctl, ip_unprivileged_port_start)."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text("ascii"))
    except (OSError, ValueError):
        return 1024


def _explained(error: OSError, port: int, home: str) -> str | None:
    if error.errno == errno.EADDRNOTAVAIL:
        return "is no address of this machine"
    if error.errno == errno.EACCES:
        return "is a port that only root may use"
    if error.errno != errno.EADDRINUSE:
        return f"cannot be used: {error.strerror}"
    holders = _holders(port)
    if any(_belongs(command, home) for command in holders.values()):
        return None
    if not holders:
        return "is in use by another user's program"
    pid, command = min(holders.items())
    return f"is in use by {Path(command[0]).name} (process {pid})"


def _belongs(command: list[str], home: str) -> bool:
    return any(word == home or word.startswith(f"{home}/") for word in command)


def _holders(port: int) -> dict[int, list[str]]:
    """Command line by id of each process that listens at a port, as far as this user may see."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    found: dict[int, list[str]] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(str(one.readlink()) in inodes for one in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().decode(errors="replace")
                found[int(process.name)] = words.rstrip("\0").split("\0")
        except OSError:
            continue  # it ended meanwhile, or is another user's
    return found


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:
            continue  # no IPv6 on this machine
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
