# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Providers that make a cluster, on a machine that lacks what they need: said at once, and nothing is made.

No cluster is made here. Programs that are only looked for are empty files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def refusal(inventory: str, programs: Sequence[str], folder: Path) -> str:
    """What `site.yml` says where no program but these can be found."""
    found = folder / "bin"
    found.mkdir()
    for program in programs:
        (found / program).touch(mode=0o755)
    which = shutil.which("which")
    assert which
    (found / "which").symlink_to(which)
    home = folder / "home"
    ansible = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [
            str(ansible),
            "site.yml",
            f"--inventory={_ROOT / 'inventories' / inventory}",
            f"--extra-vars={json.dumps({'platform_home': str(home)})}",
        ],
        cwd=_ROOT,
        env={
            **os.environ,
            "PATH": str(found),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert not home.exists()
    said = json.loads(done.stdout[done.stdout.index("{") :])
    results = [
        result
        for play in said["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
        if result.get("failed")
    ]
    return str(results[-1]["msg"])


@pytest.mark.parametrize(
    ("inventory", "programs", "said"),
    [
        ("kind", [], "provider kind needs kind on this machine"),
        ("kind", ["kind"], "provider kind needs a container engine, and neither docker nor podman"),
        ("edge", [], "provider k3s needs k3s on this machine"),
        ("eks", ["aws"], "provider eks needs eksctl on this machine"),
        ("eks", ["aws", "eksctl"], "provider eks needs cluster_region and cluster_machine_type"),
        ("gke", [], "provider gke needs gcloud and gke-gcloud-auth-plugin on this machine"),
        ("aks", ["az", "kubelogin"], "provider aks needs cluster_resource_group and"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_made(
    inventory: str, programs: list[str], said: str, tmp_path: Path
) -> None:
    assert said in refusal(inventory, programs, tmp_path)
