# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""`python -m inferencebox.serving.precompile STAMP`: leave bytecode behind for everything that model servers import.

Tenants' users may not write into the environment, so each start of a server would compile anew what has no bytecode.
To compile the whole environment takes four times as long: most of it is tests, and clients that no server uses.
The stamp is a file that is there once the work is over.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .frameworks import FRAMEWORKS

_SERVERS = ("inferencebox.serving.predictive", "inferencebox.serving.llm")


def main() -> None:
    """Import what servers import, and leave the stamp."""
    os.umask(0o022)  # under a strict one, tenants' processes could not read the bytecode
    try:
        import_servers()
    finally:
        # A failure too: somebody waits, and servers start without bytecode, only later.
        Path(sys.argv[1]).touch()


def import_servers() -> None:
    """Import every server and framework, side by side; what cannot be imported says so when a model needs it."""
    packages = [entry.package for entry in FRAMEWORKS.values()]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for _ in pool.map(_import, (*_SERVERS, *packages)):
            pass


def _import(name: str) -> None:
    warnings.simplefilter("ignore")
    with contextlib.suppress(ImportError, OSError):
        module = importlib.import_module(name)
        # A model's file names the parts of its framework that it needs, any of them.
        for part in getattr(module, "__all__", ()):
            with contextlib.suppress(ImportError):
                importlib.import_module(f"{name}.{part}")


if __name__ == "__main__":
    main()
