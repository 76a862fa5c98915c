# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m bench`: measure, write the results, and write the page from them."""

from __future__ import annotations

import argparse
import sys

from . import latency, memory, page, start
from .errors import BenchError
from .machine import ROOT
from .subject import running
from .summary import Json, as_text


def main() -> int:
    """Run one measurement; the exit status is 1 when it could not be finished."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=("all", "latency", "memory", "start", "page"))
    parser.add_argument(
        "--quick", action="store_true", help="prove the harness with figures that mean nothing"
    )
    chosen = parser.parse_args()
    try:
        if chosen.what == "start":
            _write("start", start.measure(quick=chosen.quick))
        elif chosen.what != "page":
            _on_a_platform(chosen.what, quick=chosen.quick)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    page.write()
    print(f"written: {page.PAGE.relative_to(ROOT)}")
    return 0


def _on_a_platform(what: str, *, quick: bool) -> None:
    with running() as subject:
        # Memory first: it is that of a platform which was asked nothing.
        if what in ("all", "memory"):
            _write("memory", memory.measure(subject, quick=quick))
        if what in ("all", "latency"):
            _write("latency", latency.measure(subject, quick=quick))


def _write(name: str, results: Json) -> None:
    path = page.RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(as_text(results), encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
