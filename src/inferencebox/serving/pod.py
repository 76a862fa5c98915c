# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""`python -m inferencebox.serving.pod`: what the containers of a model's pod run, told by arguments.

`serve` serves the model's files, `fetch` brings them there. KServe's ServingRuntime and ClusterStorageContainer say
which arguments there are. Exit codes are those of `python -m inferencebox.serving`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from . import fetch
from .__main__ import EXIT_UNUSABLE, run
from .errors import ReplicaError, SpecError
from .spec import ReplicaSpec, spec_of_pod

_DURATION = re.compile(r"([0-9]+)(s|ms)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code says how it ended."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        if given.command == "fetch":
            fetch.fetch(given.source, given.target)
            return 0
        return run(_spec(given), credential="")
    except SpecError as error:
        parser.error(str(error))
    except ReplicaError as error:
        print(error, file=sys.stderr, flush=True)
        return EXIT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    # Of an argument that is given twice, the last counts: a model's come after its runtime's.
    parser = argparse.ArgumentParser(prog="python -m inferencebox.serving.pod", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve a model until SIGTERM", allow_abbrev=False)
    serve.add_argument("--name", required=True, help="the model's name, as callers write it")
    serve.add_argument("--address", default="127.0.0.1", help="IP address to listen on")
    serve.add_argument("--port", required=True, type=int, help="TCP port to listen on")
    serve.add_argument("--artifact", required=True, help="file, or directory with one model file")
    serve.add_argument("--framework", required=True, help="what the file is for")
    serve.add_argument("--tenant", required=True, help="the tenant that owns the model")
    serve.add_argument("--version", required=True, help="the version served")
    serve.add_argument("--apis", required=True, help="protocols to answer, separated by commas")
    serve.add_argument("--threads", required=True, type=int, help="compute threads")
    serve.add_argument("--request-timeout", required=True, help="longest request, such as 60s")
    brings = commands.add_parser("fetch", help="copy a python:// source", allow_abbrev=False)
    brings.add_argument("source", help="python://PACKAGE/PATH")
    brings.add_argument("target", type=Path, help="directory that gets the files")
    return parser


def _spec(given: argparse.Namespace) -> ReplicaSpec:
    return spec_of_pod(
        {
            "name": given.name,
            "tenant": given.tenant,
            "version": given.version,
            "framework": given.framework,
            "artifact": given.artifact,
            "address": given.address,
            "port": given.port,
            "threads": given.threads,
            "apis": given.apis.split(","),
            "request_timeout_seconds": _seconds(given.request_timeout),
        }
    )


def _seconds(text: str) -> float:
    """Read a duration as the runtime's arguments write it: ``60s`` or ``500ms``.

    Raises:
        SpecError: It is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise SpecError(f"--request-timeout must be written as 60s or 500ms, found {text!r}")
    return int(found[1]) / (1000 if found[2] == "ms" else 1)


if __name__ == "__main__":
    sys.exit(main())
