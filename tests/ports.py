# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ports for what tests start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

# The first of those that the kernel gives to whoever does not care (ip(7), ip_local_port_range).
_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _LEAST_HIGHEST = 10_000, 20_000


def free_ports(count: int) -> list[int]:
    """Find ports of loopback that nobody listens on, all different.

    None is among those that the kernel gives to connections: one of these could have it before its listener does.
    """
    end = max(int(_GIVEN_AWAY.read_text(encoding="ascii").split()[0]), _LEAST_HIGHEST)
    found: list[int] = []
    for port in random.sample(range(_LOWEST, end), end - _LOWEST):
        if len(found) == count:
            break
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found
