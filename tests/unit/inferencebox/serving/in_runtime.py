# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Python in the runtime environment, where the model servers' libraries are: pytest itself runs in another."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path


def evaluate(python: Path, setup: str, expressions: t.Mapping[str, str], cwd: Path) -> t.Any:
    """Evaluate expressions in one process.

    Args:
        python: Interpreter of the runtime environment.
        setup: Code that runs before.
        expressions: Python expressions by name, whose values are JSON.
        cwd: Where the process runs.

    Returns:
        By name: {"value": ...}, or {"error": "Type: text"} of what was raised.
    """
    program = (
        "import json, sys\n"
        f"{setup}\n"
        "found = {}\n"
        "for name, expression in json.load(sys.stdin).items():\n"
        "    try:\n"
        "        found[name] = {'value': eval(expression)}\n"
        "    except Exception as error:\n"
        "        found[name] = {'error': f'{type(error).__name__}: {error}'}\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [python, "-c", program],
        input=json.dumps(expressions),
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
