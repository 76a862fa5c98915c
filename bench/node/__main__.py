# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make bench-node`: install a platform of inventories/node, measure it, remove it, and write docs/performance.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import closed_loop, machine, page
from bench.errors import BenchError
from bench.node import latency, memory, roles
from bench.summary import Json, as_text
from tests.behaviour.platform_json import Platform
from tests.node.inventory import BUNDLE, unlimited
from tests.node.machine import lack
from tests.node.own_node import OwnNode


def main() -> int:
    """Measure; the exit status is 1 when it could not be finished."""
    parser = argparse.ArgumentParser(prog="python -m bench.node", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="prove the harness with figures that mean nothing"
    )
    quick = parser.parse_args().quick
    try:
        _require()
        with tempfile.TemporaryDirectory(prefix="bench-node-") as directory:
            results = _measure(Path(directory), quick=quick)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    path = page.RESULTS / "node.json"
    path.write_text(as_text(results), encoding="utf-8")
    page.write()
    print(f"written: {path.relative_to(machine.ROOT)}, {page.PAGE.relative_to(machine.ROOT)}")
    return 0


def _require() -> None:
    """Check that the machine can be a node, and that the tool is there.

    Raises:
        BenchError: It cannot, or it is not.
    """
    if lacking := lack():
        raise BenchError(lacking)
    closed_loop.require()


def _measure(directory: Path, *, quick: bool) -> Json:
    own = OwnNode(directory, BUNDLE, unlimited())
    own.bundle.mkdir(parents=True, exist_ok=True)
    # Filling it takes minutes where it is empty, and is nobody's install.
    own.play("playbooks/bundle.yml")
    facts = machine.facts(quick=quick)
    try:
        runs = [roles.measure(own, "first"), roles.measure(own, "second")]
        own.stop()
        runs.append(roles.measure(own, "after a stop"))
        # Memory before requests: it is that of a platform which was asked one question a model.
        used = memory.measure(own, quick=quick)
        platform = Platform.read(own.home / "platform.json")
        closed = latency.measure(own, platform, quick=quick)
    finally:
        own.remove()
    versions = {**memory.versions(used), "h2load": closed_loop.version()}
    return {"measured": {**facts, **versions}, "roles": runs, **used.rows(), "closed": closed}


if __name__ == "__main__":
    sys.exit(main())
