# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox status``: what runs, which models answer, how often and how fast."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.inferencebox.platform.plugins.module_utils.host.readiness import (
    last_words,
    why_it_ended,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor import (
    Status,
    Supervisor,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor_ini import (
    Daemon,
)
from rich.markup import escape

from ._home import Home, HomeOption, PlatformOption, find_home
from ._output import (
    EXIT_FAILED,
    EXIT_NO_PLATFORM,
    JsonOption,
    print_json,
    print_table,
    print_text,
    stdout,
)

# What is read from tier 2, and nothing more: thousands of counters are there.
_WANTED = r"^cluster\.model\|.*\.(membership_healthy|membership_total|upstream_rq_completed|upstream_rq_5xx|upstream_rq_time)$"
_NAME = re.compile(
    r"^cluster\.model\|(?P<tenant>[^|]+)\|(?P<model>[^|]+?)\.(?P<what>membership_\w+|upstream_rq_\w+)$"
)
_MODEL_PROGRAM = re.compile(r"^model\.(?P<tenant>[^.]+)\.(?P<model>.+)\.[0-9a-f]+\.\d+$")


@dataclass(frozen=True)
class ModelHealth:
    """One model now.

    Attributes:
        replicas_ready: Replicas that answer their health check at tier 2.
        replicas: Replicas that there shall be.
        requests: Requests answered since tier 2 started; errors: those of them with a 5xx status.
        p50_ms: Median time of an answer in milliseconds, None before the first.
        reason: Why it, or its newest version while an earlier one serves, is not ready; empty when all is well.
    """

    name: str
    tenant: str
    ready: bool
    replicas_ready: int
    replicas: int
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    reason: str


def status(
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> int:
    """Show what runs, which models answer, how often and how fast. Ends with 1 when something is not well."""
    place = find_home(home, platform)
    if place.data["target"] == "kubernetes":
        return _of_a_cluster(place, as_json=as_json)
    programs = supervised(place)
    models = model_health(place, programs)
    silence = gateway_problem(place) if programs else "the platform is stopped"
    healthy = (
        silence is None and all(each.runs for each in programs) and all(m.ready for m in models)
    )
    if as_json:
        shown = [
            {
                "name": each.name,
                "state": _state(each),
                "pid": each.pid,
                "up_seconds": each.up_seconds,
            }
            for each in programs
        ]
        print_json(
            {
                "platform": place.data,
                "healthy": healthy,
                "gateway": {"ready": silence is None, "reason": silence or ""},
                "programs": shown,
                "models": [asdict(each) for each in models],
            }
        )
    else:
        _print(place, programs, models, silence)
    if not programs:
        return EXIT_NO_PLATFORM
    return 0 if healthy else EXIT_FAILED


def _of_a_cluster(place: Home, *, as_json: bool) -> int:
    # The others shall not load an HTTP client.
    from . import _cluster

    found = _cluster.read(place)
    silence = gateway_problem(place) if place.ca_file.is_file() else "it has no certificate yet"
    healthy = silence is None and not found.late
    if as_json:
        print_json(
            {
                "platform": place.data,
                "healthy": healthy,
                "gateway": {"ready": silence is None, "reason": silence or ""},
                "kubernetes": found.version,
                "objects": {"count": found.count, "not_ready": [asdict(one) for one in found.late]},
                "models": [asdict(one) for one in found.models],
                "warnings": _cluster.warnings(place),
            }
        )
    else:
        _cluster.show(place, found, silence)
    if not found.count:
        return EXIT_NO_PLATFORM
    return 0 if healthy else EXIT_FAILED


def supervised(place: Home) -> list[Status]:
    """Processes of a platform by name; empty when it is stopped."""
    return sorted(Supervisor(Daemon(str(place.path))).status().values(), key=lambda each: each.name)


def _state(program: Status) -> str:
    """Say what a process is doing; whether it has been up for long enough is the process manager's matter."""
    return "RUNNING" if program.runs else program.state


def gateway_problem(place: Home) -> str | None:
    """Say why callers do not reach the gateway; None when they do."""
    from ansible_collections.inferencebox.platform.plugins.module_utils.host import https

    address, port = place.address
    return https.problem(https.Gateway(address, port, place.host, str(place.ca_file)), "/healthz")


def model_health(place: Home, programs: t.Sequence[Status]) -> list[ModelHealth]:
    """Say of each model what tier 2, the process manager and the last run know of it."""
    counters = _counters(place) if programs else {}
    said = place.record("models")
    return [
        _one_model(
            place,
            name,
            each["owner"],
            counters.get((each["owner"], name), {}),
            said.get(name, {}),
            programs,
        )
        for name, each in place.models.items()
    ]


def _one_model(
    place: Home,
    name: str,
    owner: str,
    counters: t.Mapping[str, t.Any],
    said: t.Mapping[str, t.Any],
    programs: t.Sequence[Status],
) -> ModelHealth:
    own = [
        each
        for each in programs
        if (match := _MODEL_PROGRAM.match(each.name)) and match.group(1, 2) == (owner, name)
    ]
    ready = int(counters.get("membership_healthy", 0))
    p50, p95 = counters.get("upstream_rq_time") or (None, None)
    return ModelHealth(
        name=name,
        tenant=owner,
        ready=ready > 0,
        replicas_ready=ready,
        replicas=max(len(own), int(counters.get("membership_total", 0))),
        requests=int(counters.get("upstream_rq_completed", 0)),
        errors=int(counters.get("upstream_rq_5xx", 0)),
        p50_ms=p50,
        p95_ms=p95,
        reason=_reason(place, said, own, ready=ready > 0)
        if programs
        else "the platform is stopped",
    )


def _reason(
    place: Home, said: t.Mapping[str, t.Any], own: t.Sequence[Status], *, ready: bool
) -> str:
    down = next((each for each in own if not each.runs), None)
    if down and down.state in ("BACKOFF", "FATAL"):
        # What happens now is newer than what the last run said.
        supervisor = Supervisor(Daemon(str(place.path)))
        why = why_it_ended(supervisor, down, last_words(down.log))
        if down.state == "FATAL":
            return f"its process ended at each start and is left alone until the next run: {why}"
        return f"its process ended and is started again: {why}"
    if ready and not down:
        return ""
    if said.get("reason"):
        return str(said["reason"])
    if down:
        return f"its process is in state {down.state}"
    return "its process runs, but does not answer yet" if own else "it has no process"


def _counters(place: Home) -> dict[tuple[str, str], dict[str, t.Any]]:
    # What only this command needs shall not slow the others down.
    from ._client import tier2_stats

    found: dict[tuple[str, str], dict[str, t.Any]] = {}
    for entry in tier2_stats(place, _WANTED):
        for name, value in _values(entry):
            match = _NAME.match(name)
            if match:
                found.setdefault((match["tenant"], match["model"]), {})[match["what"]] = value
    return found


def _values(entry: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, t.Any]]:
    """Read one entry of Envoy's list: a number, or all histograms as (median, 95th percentile)."""
    if "name" in entry:
        yield entry["name"], entry["value"]
        return
    histograms = entry.get("histograms", {})
    places = (
        [histograms["supported_percentiles"].index(each) for each in (50, 95)] if histograms else []
    )
    for each in histograms.get("details", ()):
        numbers = [each["percentiles"][place]["cumulative"] for place in places]
        if each["totals"] and all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
            yield each["name"], tuple(numbers)


def _print(
    place: Home,
    programs: t.Sequence[Status],
    models: t.Sequence[ModelHealth],
    silence: str | None,
) -> None:
    console = stdout()
    console.print(
        f"[bold]{escape(place.name)}[/] at {escape(place.base_url)}, {escape(str(place.data['target']))} target"
    )
    if not programs:
        console.print("[red]stopped[/]; start it with `inferencebox up`")
        return
    if silence is not None:
        console.print(f"[red]the gateway does not answer[/]: {escape(silence)}")
    print_text("")
    print_table(
        ["PROGRAM", "STATE", ">PID", ">UP"],
        [
            [
                escape(p.name),
                _coloured(_state(p), well=p.runs),
                str(p.pid or "-"),
                span(p.up_seconds),
            ]
            for p in programs
        ],
    )
    print_text("")
    print_table(
        ["MODEL", "TENANT", "STATE", ">REPLICAS", ">REQUESTS", ">ERRORS", ">P50", ">P95"],
        [
            [
                escape(m.name),
                escape(m.tenant),
                _coloured("ready" if m.ready else "not ready", well=m.ready),
                f"{m.replicas_ready}/{m.replicas}",
                str(m.requests),
                str(m.errors),
                _milliseconds(m.p50_ms),
                _milliseconds(m.p95_ms),
            ]
            for m in models
        ],
    )
    print_text("")
    print_text(_figures(place, programs))
    for model in models:
        if model.reason:
            console.print(f"\n[red]{escape(model.name)}[/]: {escape(model.reason)}")


def _figures(place: Home, programs: t.Sequence[Status]) -> str:
    """Say where the figures of the past are, or why there are none."""
    shown = place.data["observability"]
    if any(each.name == "prometheus" for each in programs):
        return (
            f"Prometheus: {shown['prometheus_url']}, with client certificate "
            f"{shown['client_certificate']}"
        )
    reason = place.record("prometheus").get("reason")
    return f"No Prometheus: {reason or 'it was not started yet'}"


def _coloured(text: str, *, well: bool) -> str:
    return f"[{'green' if well else 'red'}]{escape(text)}[/]"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def span(seconds: int) -> str:
    """Write a time as people say it: 12s, 5m, 3h 20m, 2d 4h."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days}d {hours % 24}h"
    if hours:
        return f"{hours}h {minutes % 60}m"
    return f"{minutes}m" if minutes else f"{seconds}s"
