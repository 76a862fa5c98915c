# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Charts, read where Go keeps modules, installed by the real Helm."""

from __future__ import annotations

import subprocess
import tempfile
import typing as t
from pathlib import Path

import yaml

from inferencebox.programs import building

_WAIT = "300s"


def merged(ours: t.Mapping[str, t.Any], more: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Lay settings over others, as Helm does with files of values."""
    found = dict(ours)
    for key, value in more.items():
        both = isinstance(value, t.Mapping) and isinstance(found.get(key), t.Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


def install(
    kubeconfig: str,
    release: str,
    chart: Path,
    namespace: str,
    values: t.Mapping[str, t.Any],
    *,
    wait: bool = True,
) -> None:
    """Install a chart.

    Args:
        kubeconfig: An administrator's.
        release: Name of the release.
        chart: Its directory.
        namespace: Where it goes; made where it is missing.
        values: Its settings.
        wait: Come back when its Deployments are available.

    Raises:
        RuntimeError: Helm says no, with what it says.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(values), file)
        file.flush()
        words = [
            str(building.directory("helm") / "helm"),
            "upgrade",
            "--install",
            release,
            str(chart),
            f"--namespace={namespace}",
            "--create-namespace",
            f"--values={file.name}",
            f"--kubeconfig={kubeconfig}",
            f"--timeout={_WAIT}",
            *(["--wait"] if wait else []),
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"helm {release}: {done.stderr.strip()}")
