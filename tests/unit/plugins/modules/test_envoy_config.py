# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module over the real Envoy; what activation is, tests of module_utils/host/envoy.py say."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.envoy import xds
from ansible_collections.inferencebox.platform.plugins.modules import envoy_config

from tests.unit.runtime_environment import runtime_python

from .conftest import Json, Run


@pytest.fixture
def arguments() -> Iterator[Json]:
    """A gateway that routes nothing."""
    # Unix socket paths may have 107 bytes only.
    place = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    (place / "tier/xds").mkdir(parents=True)
    directory = str(place / "tier")
    cluster = {
        "name": "one",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "one", "endpoints": []},
    }
    yield {
        "envoy": str(runtime_python().with_name("envoy")),
        "directory": directory,
        "bootstrap": xds.bootstrap("one", directory, f"{directory}/admin.sock"),
        "resources": {
            "clusters.json": xds.discovery(xds.CLUSTER, [cluster]),
            "listeners.json": xds.discovery(xds.LISTENER, []),
        },
    }
    shutil.rmtree(place)


def _live(arguments: Json) -> dict[str, str]:
    place = Path(arguments["directory"])
    return {str(p.relative_to(place)): p.read_text() for p in place.rglob("*.json")}


def test_the_cycle_of_a_configuration(run: Run, arguments: Json) -> None:
    foretold = run(envoy_config, check=True, **arguments)
    assert (foretold["changed"], _live(arguments)) == (True, {})
    made = run(envoy_config, **arguments)
    assert made["paths"] == foretold["paths"]
    assert set(_live(arguments)) == {"bootstrap.json", "xds/clusters.json", "xds/listeners.json"}
    again = run(envoy_config, **arguments)
    assert (again["changed"], again["paths"], again["diff"]) == (False, [], [])


@pytest.mark.parametrize("check", [True, False])
def test_what_envoy_refuses_is_said_and_replaces_nothing(
    run: Run, arguments: Json, check: bool
) -> None:
    run(envoy_config, **arguments)
    before = _live(arguments)
    arguments["resources"]["clusters.json"]["resources"][0]["lb_policy"] = "BEST"
    failed = run(envoy_config, check=check, **arguments)
    assert failed["failed"] is True
    assert "BEST" in failed["msg"]
    assert _live(arguments) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_belong_to_whom_they_are_for(run: Run, arguments: Json) -> None:
    run(envoy_config, owner="nobody", **arguments)
    files = Path(arguments["directory"]).rglob("*.json")
    assert {path.owner() for path in files} == {"nobody"}


def test_an_envoy_that_is_not_there_is_named(run: Run, arguments: Json) -> None:
    arguments["envoy"] = "/nowhere/envoy"
    failed = run(envoy_config, **arguments)
    assert failed["failed"] is True
    assert "/nowhere/envoy" in failed["msg"]
    assert run(envoy_config, check=True, **arguments)["changed"] is True
