# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make bench-apply`: apply a rendered platform with each way, and again, and write docs/applying.md's table."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform as system
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import synchronising

from bench.cluster import page
from bench.cluster.objects import count, platform_objects
from bench.cluster.requests import Requests
from bench.cluster.ways import WAYS, BenchError, Nothing, Way
from tests.cluster import definitions
from tests.cluster.control_plane import ControlPlane

_ROOT = Path(__file__).resolve().parents[2]
_OBJECTS = 300
_QUICK_OBJECTS = 20


def main() -> int:
    """Measure; the exit status is 1 when something that is compared did not work."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="prove the harness with figures that mean nothing"
    )
    quick = parser.parse_args().quick
    wanted = _QUICK_OBJECTS if quick else _OBJECTS
    try:
        results = _measure(wanted, quick=quick)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    page.RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    page.write()
    print(f"written: {page.RESULTS.relative_to(_ROOT)}, {page.PAGE.relative_to(_ROOT)}")
    return 0


def _measure(wanted: int, *, quick: bool) -> dict[str, object]:
    load = round(os.getloadavg()[0], 2)
    rows = []
    with ControlPlane(audit=True) as plane:
        found = definitions.upstream()
        request = synchronising.Request(found, "definitions", kubeconfig=str(plane.kubeconfig))
        report = synchronising.synchronise(request)
        if report.problem:
            raise BenchError(report.problem)
        requests = Requests(plane.audit_log)
        for way in WAYS:
            objects = platform_objects(way.name, wanted, str(plane.kubeconfig))
            directory = plane.directory / way.name
            directory.mkdir()
            way.prepare(directory, objects, str(plane.kubeconfig))
            for run in ("first", "again"):
                row = _run(way, requests, len(objects))
                present = count(way.name, str(plane.kubeconfig))
                if present != len(objects) and not isinstance(way, Nothing):
                    raise BenchError(f"{way.title} left {present} of {len(objects)} objects")
                rows.append({"way": way.name, "run": run, **row})
                print(rows[-1], file=sys.stderr, flush=True)
    return {"measured": _facts(load, quick=quick), "objects": wanted, "runs": rows}


def _run(way: Way, requests: Requests, objects: int) -> dict[str, float]:
    """One run of a way: seconds of the whole command, and what it asked of the API server."""
    requests.skip()
    started = time.perf_counter()
    done = subprocess.run(
        way.command, env=way.environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise BenchError(f"{way.title} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    asked = requests.count(way.agent)
    return {
        "seconds": round(seconds, 2),
        "objects_per_second": round(objects / seconds, 1),
        "requests": asked,
        "requests_per_object": round(asked / objects, 2),
    }


def _facts(load: float, *, quick: bool) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or "unknown",
        "quick": quick,
        "cores": len(os.sched_getaffinity(0)),
        "load_before": load,
        "python": system.python_version(),
        **{way.name: way.version for way in WAYS},
    }


if __name__ == "__main__":
    sys.exit(main())
