# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox status``: what is made of tier 2's counters, of processes, and of what the last run wrote."""

from __future__ import annotations

import dataclasses
import http.server
import json
import shutil
import socketserver
import tempfile
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor import (
    Status,
)

from inferencebox.cli import _cluster, status
from inferencebox.cli._home import Home, read_home

from .conftest import Cli, write_platform

_STATES = {
    "smollm2": {"ready": False, "reason": "the file is no GGUF"},
    "iris": {"ready": True, "reason": None},
}


def _program(name: str, state: str = "RUNNING", log: str = "") -> Status:
    return Status(name, state, 17 if state == "RUNNING" else 0, 5, "", log)


def _stats(*rows: tuple[str, t.Any], times: dict[str, tuple[float | None, float | None]]) -> bytes:
    """Counters, gauges and histograms as Envoy's admin interface lists them."""
    details = [
        {
            "name": name,
            "totals": [{"lower_bound": 1, "width": 1, "count": 1}],
            "percentiles": [{"cumulative": number, "interval": None} for number in (0, *two, 100)],
        }
        for name, two in times.items()
    ]
    histograms = {"supported_percentiles": [0, 50, 95, 100], "details": details}
    stats: list[t.Any] = [{"name": name, "value": value} for name, value in rows]
    return json.dumps({"stats": [*stats, {"histograms": histograms}]}).encode()


@pytest.fixture
def place() -> t.Iterator[Home]:
    """A platform whose tier 2 answers with counters, on a short path: Unix sockets have 107 bytes."""
    directory = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    home = write_platform(directory / "h")
    (home / "run/tier2").mkdir(parents=True)
    (home / "state/models.json").write_text(json.dumps(_STATES))
    iris = "cluster.model|tenant-a|iris"
    content = _stats(
        (f"{iris}.membership_healthy", 1),
        (f"{iris}.membership_total", 2),
        (f"{iris}.upstream_rq_completed", 40),
        (f"{iris}.upstream_rq_5xx", 3),
        ("cluster.model|tenant-b|smollm2.membership_healthy", 0),
        ("cluster.tier2.membership_healthy", 9),
        times={
            f"{iris}.upstream_rq_time": (2.5, 9.5),
            "cluster.model|tenant-b|smollm2.upstream_rq_time": (None, None),
        },
    )

    class Admin(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path.startswith("/stats?")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with socketserver.ThreadingUnixStreamServer(
        str(home / "run/tier2/admin.sock"), Admin
    ) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield read_home(home)
        server.shutdown()
        thread.join()
    shutil.rmtree(directory)


def test_a_model_has_its_own_counters(place: Home) -> None:
    programs = [_program(f"model.tenant-a.iris.aabb.{n}") for n in (0, 1)]
    found = {row.name: row for row in status.model_health(place, programs)}
    iris = found["iris"]
    assert (iris.ready, iris.replicas_ready, iris.replicas) == (True, 1, 2)
    assert (iris.requests, iris.errors) == (40, 3)
    assert (iris.p50_ms, iris.p95_ms) == (2.5, 9.5)
    assert iris.reason == ""
    llm = found["smollm2"]
    assert (llm.ready, llm.requests, llm.p50_ms) == (False, 0, None)
    assert llm.reason == "the file is no GGUF"


def test_a_stopped_platform_is_said_to_be_stopped(place: Home) -> None:
    rows = status.model_health(place, [])
    assert {row.reason for row in rows} == {"the platform is stopped"}
    assert not any(row.ready for row in rows)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (None, "it has no process"),
        ("RUNNING", "its process runs, but does not answer yet"),
        (
            "FATAL",
            "its process ended at each start and is left alone until the next run: no such model",
        ),
        ("BACKOFF", "its process ended and is started again: no such model"),
        ("STOPPED", "its process is in state STOPPED"),
    ],
)
def test_without_a_word_of_the_last_run_its_process_says_why(
    place: Home, program: str | None, reason: str
) -> None:
    (place.path / "state/models.json").unlink()
    log = place.path / "logs/one.log"
    log.write_text("loading\nno such model\n")
    programs = [_program("tier2")]
    if program:
        programs.append(_program("model.tenant-b.smollm2.aabb.0", program, str(log)))
    found = {row.name: row for row in status.model_health(place, programs)}
    assert found["smollm2"].reason == reason


def test_a_models_name_may_hold_what_separates_programs(place: Home) -> None:
    programs = [_program("model.tenant-b.smollm2.x.aabb.0")]
    found = {row.name: row for row in status.model_health(place, programs)}
    assert found["smollm2"].replicas == 0, "another model's process"


def test_a_platform_that_does_not_run_ends_with_3(cli: Cli, home: Path) -> None:
    result = cli("status")
    assert result.code == 3
    assert "stopped; start it with `inferencebox up`" in result.out
    said = cli("status", "--json")
    assert said.code == 3
    assert said.json["healthy"] is False
    assert said.json["gateway"] == {"ready": False, "reason": "the platform is stopped"}
    assert said.json["platform"] == json.loads((home / "platform.json").read_text())
    assert [row["name"] for row in said.json["models"]] == ["iris", "smollm2"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h 0m"),
        (86399, "23h 59m"),
        (90061, "1d 1h"),
    ],
)
def test_spans_are_written_as_people_say_them(seconds: int, said: str) -> None:
    assert status.span(seconds) == said


@pytest.mark.parametrize(
    ("provider", "warned"), [("node", True), ("existing", False), (None, False)]
)
def test_where_network_policies_are_not_enforced_it_is_said(
    place: Home, provider: str | None, warned: bool
) -> None:
    cluster = {} if provider is None else {"provider": provider}
    there = dataclasses.replace(place, data={**place.data, "cluster": cluster})
    said = _cluster.warnings(there)
    assert [("NetworkPolicies are not enforced" in text) for text in said] == [True] * warned


@pytest.mark.parametrize(
    ("ready", "reason", "said"),
    [
        (True, "", "ready"),
        (True, "an earlier version answers; 1 of 2", "not its new version"),
        (False, "none of its pods is ready", "not ready"),
    ],
)
def test_a_model_on_a_cluster_says_whether_it_answers_and_whether_it_is_as_wanted(
    ready: bool, reason: str, said: str
) -> None:
    shown = _cluster.Model("iris", "tenant-a", ready, reason).state
    assert said in shown
    assert ("not" in shown) == bool(reason)
