# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ports that others hold are found before anything changes; the platform's own are no problem."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import ports

_LISTEN = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def listener(tmp_path: Path) -> t.Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that listens, whose command line names `tmp_path`."""
    with subprocess.Popen(
        [sys.executable, "-c", _LISTEN, f"{tmp_path}/home/tier1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield process, int(process.stdout.readline())
        process.kill()


def test_a_free_port_is_no_problem() -> None:
    assert ports.problem("127.0.0.1", _free_port(), "/nowhere") is None


def test_the_program_that_holds_a_port_is_named(
    listener: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = listener
    said = ports.problem("127.0.0.1", port, "/nowhere")
    assert said == f"is in use by {Path(sys.executable).name} (process {process.pid})"


def test_the_platforms_own_process_may_hold_it(
    listener: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    _, port = listener
    assert ports.problem("127.0.0.1", port, f"{tmp_path}/home") is None
    # A path that only begins alike is another platform's.
    assert ports.problem("127.0.0.1", port, f"{tmp_path}/ho") is not None


def test_an_address_of_another_machine_is_refused() -> None:
    # TEST-NET-3 of RFC 5737: no machine has it.
    assert ports.problem("203.0.113.7", 8443, "/nowhere") == "is no address of this machine"


def test_a_low_port_needs_root() -> None:
    if (
        os.geteuid() == 0
        or int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) < 2
    ):
        pytest.skip("this user may use every port")
    assert ports.problem("127.0.0.1", 1, "/nowhere") == "is a port that only root may use"


def test_a_port_for_root_alone_is_refused_to_root_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The gateway itself never runs as root.
    port = _free_port()
    monkeypatch.setattr(ports, "_first_open_port", lambda: port + 1)
    said = ports.problem("127.0.0.1", port, str(tmp_path))
    assert said is not None
    assert "only root" in said
