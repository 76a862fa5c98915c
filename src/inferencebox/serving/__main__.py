# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""`python -m inferencebox.serving --spec FILE`: serve one replica until SIGTERM.

Exit codes: 0 after SIGTERM, 2 for a wrong command line, 3 when the model or the spec cannot be used (starting
again would not help). Anything else is a crash, which the process manager answers with a new start.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from . import memory
from .errors import LoadError, ReplicaError, SpecError
from .spec import ReplicaSpec, load_spec

EXIT_UNUSABLE = 3

# Files and sockets are for the tenant's user and the tier in front of it (its group), nobody else.
UMASK = 0o007

# Each numeric library reads its own variable, once, when it is imported.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def main(argv: list[str] | None = None) -> int:
    """Serve the replica that the command line names; the exit code says how it ended."""
    parser = argparse.ArgumentParser(
        prog="python -m inferencebox.serving", description="Serve one model replica."
    )
    parser.add_argument(
        "--spec", type=Path, required=True, metavar="FILE", help="the replica spec, a JSON file"
    )
    path = parser.parse_args(argv).spec
    os.umask(UMASK)
    try:
        spec = load_spec(path)
        credential = spec.credential()
    except SpecError as error:
        print(f"replica spec cannot be used: {error}", file=sys.stderr, flush=True)
        return EXIT_UNUSABLE
    return run(spec, credential)


def run(spec: ReplicaSpec, credential: str) -> int:
    """Serve a replica until SIGTERM; the exit code says how it ended.

    Args:
        spec: What to serve, and where.
        credential: What callers have to present; empty where the spec asks for none.
    """
    os.environ.update({variable: str(spec.threads) for variable in THREAD_VARIABLES})
    try:
        _server_for(spec)(spec, credential)
    except ReplicaError as error:
        reason = " ".join(str(error).split())
        print(f"model {spec.name} cannot be loaded: {reason}", file=sys.stderr, flush=True)
        return EXIT_UNUSABLE
    return 0


def _server_for(spec: ReplicaSpec) -> Callable[[ReplicaSpec, str], None]:
    """Import the server that fits; the two share no dependency, and importing only one saves seconds."""
    memory.require_minimum()
    try:
        if spec.is_llm:
            from .llm import serve as serve_llm

            return serve_llm
        from .predictive import serve as serve_predictive

        return serve_predictive
    except ModuleNotFoundError as error:
        raise LoadError(
            f"the Python package {error.name} is not installed in the runtime environment"
        ) from error
    except (ImportError, MemoryError, OSError, RuntimeError) as error:
        if memory.is_memory_failure(error):
            raise LoadError(memory.reason("its server")) from error
        raise


if __name__ == "__main__":
    sys.exit(main())
