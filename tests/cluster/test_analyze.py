# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`istioctl analyze` over everything that the shipped inventories and the samples render."""

from __future__ import annotations

import copy
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import to_yaml

from inferencebox.programs import building
from tests.cluster.steps import Object
from tests.cluster.test_objects_accepted import SOURCES, rendered

pytestmark = pytest.mark.proves("L2", "tier2")

# It says of every EnvoyFilter that such a thing may break; ours choose cohorts and tell tier 2's own answers from a model's,
# which Istio has no fields for.
_EXPECTED = {
    ("IST0133", f"EnvoyFilter inferencebox-system/{name}") for name in ("cohort-iris", "unreached")
}


def analyzed(objects: list[Object], directory: Path) -> list[t.Any]:
    """What Istio's own analysis has to say of objects."""
    path = directory / "objects.yaml"
    path.write_text(to_yaml(objects))
    istioctl = building.directory("istio") / "istioctl"
    words = [str(istioctl), "analyze", "--use-kube=false", "--output=json", "--all-namespaces"]
    done = subprocess.run([*words, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout or "No validation issues found" in done.stderr, done.stderr
    return list(json.loads(done.stdout or "[]"))


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_found(source: str, tmp_path: Path) -> None:
    _, objects = rendered(source)
    found = {(one["code"], one["origin"]) for one in analyzed(objects, tmp_path)}
    assert found <= _EXPECTED


def test_it_would_find_a_gateway_that_is_not_there(tmp_path: Path) -> None:
    objects = copy.deepcopy(rendered("sample-full")[1])
    route = next(one for one in objects if one["kind"] == "VirtualService")
    route["spec"]["gateways"] = ["inferencebox-system/another"]
    codes = {one["code"] for one in analyzed(objects, tmp_path)}
    assert "IST0101" in codes
