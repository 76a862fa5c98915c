# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of docs/performance.md, made from bench/results; the words around them are the page's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .machine import ROOT
from .summary import Json, differences, median

RESULTS = ROOT / "bench/results"
PAGE = ROOT / "docs/performance.md"

_PLACE = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)
_QUICK = "**A shortened run: these figures prove that the harness works and nothing else.**\n\n"

# The aims, with the units of the results.
COLD_SECONDS = 60.0
WARM_SECONDS = 15.0
ADDED_P50_MS = 1.0
IDLE_MIB = 400.0

_REQUESTS = {
    "ready": "health of a model",
    "v2": "iris, V2",
    "v1": "iris, V1",
    "chat": "SmolLM2, one token",
}
_WAYS = {
    "direct": "model server directly",
    "tier2": "tier 2 alone",
    "plain": "plain Envoy",
    "both": "both tiers",
    "hop": "LiteLLM's way to the model server",
    "litellm": "LiteLLM",
}
_HOPS = {"tier1": "tier 1", "tier2": "tier 2", "plain": "plain Envoy"}


def write() -> None:
    """Write the page anew from the results that there are."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), read_results()), encoding="utf-8")


def read_results() -> dict[str, Json]:
    """Results by name of their file."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RESULTS.glob("*.json"))
    }


def render(text: str, results: dict[str, Json]) -> str:
    """Fill the places of a page.

    Args:
        text: The page, with `<!-- bench: NAME -->` ... `<!-- /bench -->` around each table.
        results: As `read_results` gives them; a table whose results are missing says so.

    Raises:
        KeyError: The page names a table that does not exist.
    """
    return _PLACE.sub(
        lambda place: f"{place[1]}\n{_filled(TABLES[place[2]], results)}\n{place[3]}", text
    )


def _filled(table: Callable[[dict[str, Json]], str], results: dict[str, Json]) -> str:
    try:
        return table(results)
    except KeyError as missing:
        if missing.args[0] not in ("latency", "memory", "node", "start"):
            raise
        return f"*Not measured yet* (`bench/results/{missing.args[0]}.json`).\n"


Aim = tuple[str, float, float, str]


def _aims(results: dict[str, Json]) -> str:
    found = {"start": _start_aims, "latency": _latency_aims, "memory": _memory_aims}
    rows = [
        (what, form.format(aim), form.format(value), "met" if value <= aim else "missed")
        for name, aims_of in found.items()
        if name in results
        for what, aim, value, form in aims_of(results[name])
    ]
    if not rows:
        raise KeyError("start")
    return _table(("", "aim", "measured", ""), rows)


def _start_aims(results: Json) -> Iterator[Aim]:
    aims = {"cold": COLD_SECONDS, "warm": WARM_SECONDS}
    for run in results["runs"]:
        caches = run["caches"]
        yield f"clone to first token, {caches} caches", aims[caches], run["seconds"], "{:.1f} s"


def _latency_aims(results: Json) -> Iterator[Aim]:
    for kind, connections, what in (
        ("closed", 1, "added p50, 1 connection"),
        ("paced", 32, "added p50, 32 connections at a fixed rate"),
        ("closed", 32, "added p50, 32 connections, as fast as they can"),
    ):
        for request in ("ready", "v2"):
            added = _added(results[kind], request, connections, "both")
            yield f"{what}: {_REQUESTS[request]}", ADDED_P50_MS, added, "{:+.2f} ms"


def _memory_aims(results: Json) -> Iterator[Aim]:
    rss = sum(one["rss"] for one in results["processes"] if not one["model"])
    yield "memory of the idle platform, models apart", IDLE_MIB, rss / 1024, "{:.0f} MiB"


def _start(results: dict[str, Json]) -> str:
    runs = results["start"]["runs"]
    names = list(dict.fromkeys(_phase(p["name"]) for run in runs for p in run["phases"]))
    seconds = [{_phase(phase["name"]): phase["seconds"] for phase in run["phases"]} for run in runs]
    rows = [
        (name, *(f"{one[name]:.1f}" if name in one else "" for one in seconds)) for name in names
    ]
    total = ("**clone to first token**", *(f"**{run['seconds']:.1f}**" for run in runs))
    heads = ("seconds", *(f"{run['caches']} caches" for run in runs))
    again = ("a second `make up`", *(f"{run['again']:.1f}" for run in runs))
    return _facts(results["start"]) + _table(heads, [*rows, total, again])


def _phase(name: str) -> str:
    """A phase without what differs from run to run."""
    return re.sub(r"^installing \d+ packages.*", "install the driver", name)


def _closed(results: dict[str, Json]) -> str:
    return _facts(results["latency"]) + _compared(
        results["latency"]["closed"], ("direct", "plain", "both")
    )


def _paced(results: dict[str, Json]) -> str:
    rate = results["latency"]["paced_rate"]
    return f"{rate:.0f} requests a second on each way.\n\n" + _compared(
        results["latency"]["paced"], ("direct", "plain", "tier2", "both"), rates=False
    )


def _peers(results: dict[str, Json]) -> str:
    latency = results["latency"]
    ways = ("direct", "plain", "both", "hop", "litellm")
    text = _compared(latency["chat"], ways, bases={"litellm": "hop"})
    rows = []
    for connections in sorted({cell["connections"] for cell in latency["chat"]}):
        ours = _added(latency["chat"], "chat", connections, "both")
        theirs = _added(latency["chat"], "chat", connections, "litellm", "hop")
        rates = [
            median(_cell(latency["chat"], "chat", connections, way)["rps"])
            for way in ("both", "litellm")
        ]
        rows.append((str(connections), _ratio(theirs, ours), _ratio(rates[0], rates[1])))
    heads = ("connections", "added p50, LiteLLM to both tiers", "rps, both tiers to LiteLLM")
    sizes = [
        (f"{one['name']} {one['version']}", f"{one['pss'] / 1024:.0f}", f"{one['rss'] / 1024:.0f}")
        for one in latency["peers"]
    ]
    memory = _table(("after the run", "PSS, MiB", "RSS, MiB"), sizes)
    return text + "\n" + _table(heads, rows) + "\n" + memory


def _cpu(results: dict[str, Json]) -> str:
    rows = [
        (_REQUESTS[one["request"]], _HOPS[one["hop"]], f"{median(one['rounds_us']):.0f}")
        for one in results["latency"]["cpu"]
    ]
    return _table(("request", "hop", "microseconds a request"), sorted(rows))


def _streams(results: dict[str, Json]) -> str:
    rows = []
    by_way = {one["way"]: one for one in results["latency"]["streams"]}
    for way in ("direct", "plain", "both", "hop", "litellm"):
        one = by_way[way]
        base = by_way["hop" if way == "litellm" else "direct"]
        added = median(differences(one["ttft_ms"], base["ttft_ms"]))
        rows.append(
            (
                _WAYS[way],
                f"{median(one['ttft_ms']):.2f}",
                "" if way in ("direct", "hop") else f"{added:+.2f}",
                f"{one['gap_p50_ms']:.2f}",
                f"{one['gap_p99_ms']:.2f}",
                f"{one['events'] / one['reads']:.2f}",
            )
        )
    heads = ("way", "first token p50", "added", "gap p50", "gap p99", "events a read")
    return _table(heads, rows)


def _memory(results: dict[str, Json]) -> str:
    processes = results["memory"]["processes"]
    parts: list[tuple[str, ...]] = []
    for model, title in ((False, "**platform, models apart**"), (True, "**model servers**")):
        own = [one for one in processes if one["model"] is model]
        parts += [(one["name"], _mib(one["pss"]), _mib(one["rss"])) for one in own]
        total = (sum(one[key] for one in own) for key in ("pss", "rss"))
        parts.append((title, *(f"**{_mib(one)}**" for one in total)))
    return _facts(results["memory"]) + _table(("MiB", "PSS", "RSS"), parts)


def _node_roles(results: dict[str, Json]) -> str:
    runs = results["node"]["roles"]
    names = list(dict.fromkeys(name for run in runs for name in run["plays"]))
    rows = [(name, *(f"{run['plays'][name]:.1f}" for run in runs)) for name in names]
    total = ("**`site.yml`**", *(f"**{run['seconds']:.1f}**" for run in runs))
    heads = ("seconds", *(run["run"] for run in runs))
    return _facts(results["node"]) + _table(heads, [*rows, total])


def _node_memory(results: dict[str, Json]) -> str:
    pods, programs = results["node"]["pods"], results["node"]["programs"]
    rows: list[tuple[str, ...]] = []
    for namespace in dict.fromkeys(one["namespace"] for one in pods):
        own = [one for one in pods if one["namespace"] == namespace]
        rows += [_pod_row(f"{namespace}/{one['workload']}", [one]) for one in own]
    rows.append(tuple(f"**{cell}**" for cell in _pod_row("all pods", pods)))
    names: list[tuple[str, ...]] = [
        (
            one["name"] if one["processes"] == 1 else f"{one['name']} ({one['processes']})",
            _mib(one["pss"]),
            _mib(one["rss"]),
        )
        for one in programs
    ]
    sums = (sum(one[key] for one in programs) for key in ("pss", "rss"))
    names.append(("**all of the node's own**", *(f"**{_mib(one)}**" for one in sums)))
    heads = ("pods, MiB", "working set", "of it sidecar", "RSS")
    return (
        _table(heads, rows) + "\n" + _table(("the node's own programs, MiB", "PSS", "RSS"), names)
    )


def _pod_row(name: str, pods: Sequence[Json]) -> tuple[str, ...]:
    sums = [sum(one[key] for one in pods) / 2**20 for key in ("working_set", "sidecar", "rss")]
    return (name, *(f"{one:.0f}" for one in sums))


def _node_latency(results: dict[str, Json]) -> str:
    titles = {"direct": "model server in its pod", "both": "both tiers and the sidecar"}
    return _compared(results["node"]["closed"], ("direct", "both"), titles=titles)


TABLES: dict[str, Callable[[dict[str, Json]], str]] = {
    "aims": _aims,
    "start": _start,
    "closed": _closed,
    "paced": _paced,
    "cpu": _cpu,
    "streams": _streams,
    "peers": _peers,
    "memory": _memory,
    "node_roles": _node_roles,
    "node_memory": _node_memory,
    "node_latency": _node_latency,
}


def _compared(
    cells: Sequence[Json],
    ways: Sequence[str],
    *,
    bases: dict[str, str] | None = None,
    rates: bool = True,
    titles: Mapping[str, str] = _WAYS,
) -> str:
    """One table for all requests: each way beside the way that it adds to."""
    rows = []
    for request, connections in dict.fromkeys((c["request"], c["connections"]) for c in cells):
        for way in ways:
            cell = _cell(cells, request, connections, way)
            base = (bases or {}).get(way, "direct")
            plain = way in ("direct", *(bases or {}).values())
            added = [
                "" if plain else f"{_added(cells, request, connections, way, base, key):+.2f}"
                for key in ("p50_ms", "p99_ms")
            ]
            row = [_REQUESTS[request], str(connections), titles[way]]
            row += [f"{median(cell['p50_ms']):.2f}", added[0]]
            row += [f"{median(cell['p99_ms']):.2f}", added[1]]
            row += [f"{median(cell['rps']):.0f}"] if rates else []
            rows.append((*row, str(cell["failed"])))
    heads = ["request", "connections", "way", "p50 ms", "added", "p99 ms", "added"]
    heads += ["requests/s"] if rates else []
    return _table((*heads, "failed"), rows)


def _cell(cells: Iterable[Json], request: str, connections: int, way: str) -> Json:
    wanted = (request, connections, way)
    return next(c for c in cells if (c["request"], c["connections"], c["way"]) == wanted)


def _added(
    cells: Sequence[Json],
    request: str,
    connections: int,
    way: str,
    base: str = "direct",
    key: str = "p50_ms",
) -> float:
    """Milliseconds that a way adds: the median of the differences within each round."""
    return median(
        differences(
            _cell(cells, request, connections, way)[key],
            _cell(cells, request, connections, base)[key],
        )
    )


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.1f}" if other > 0 else "no difference to divide by"


def _mib(kib: float) -> str:
    return f"{kib / 1024:.0f}"


def _facts(results: Json) -> str:
    measured = dict(results["measured"])
    note = _QUICK if measured.pop("quick") else ""
    date, commit = measured.pop("date"), measured.pop("commit")
    parts = [
        f"{measured.pop('cores')} cores ({measured.pop('cpu')})",
        f"{measured.pop('memory_gib')} GiB",
        f"{measured.pop('system')}",
        f"Linux {measured.pop('kernel')}",
        f"load before the run {measured.pop('load_before')}",
        *(f"{name} {version}" for name, version in measured.items()),
    ]
    return f"{note}Measured {date} at {commit} on {', '.join(parts)}.\n\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    numeric = ["---" if index == 0 else "---:" for index in range(len(heads))]
    lines = [heads, numeric, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
