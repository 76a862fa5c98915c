# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import socket
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.modules import local_host_info

from .conftest import Json, Run


def _listener(port: int) -> Json:
    return {
        "setting": "platform_gateway.https_port",
        "address": "127.0.0.1",
        "port": port,
        "home": "/srv/demo",
    }


def test_it_says_who_installs(run: Run, me: Json) -> None:
    result = run(local_host_info)
    machine = result["machine"]
    assert result["changed"] is False
    assert (machine["user"], machine["group"]) == (me["owner"], me["group"])
    assert machine["root"] is (os.geteuid() == 0)
    assert Path(machine["python"]).exists()
    assert machine["cpus"] >= 1


def test_a_port_that_somebody_holds_is_named_with_its_setting(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = int(held.getsockname()[1])
        taken = run(local_host_info, listeners=[_listener(port)])["machine"]["port_problems"]
        assert len(taken) == 1
        assert taken[0].startswith(f"platform_gateway.https_port: 127.0.0.1:{port} ")
    assert run(local_host_info, listeners=[_listener(port)])["machine"]["port_problems"] == []
