# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Molecule's scenario of the kubernetes target: check, install, again, again after controllers wrote, look, remove.

On an API server without nodes and controllers of components, as the tests of `site.yml` have it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api, connect

from inferencebox.programs import building
from tests.cluster import bundle
from tests.cluster.control_plane import ControlPlane
from tests.cluster.site import Identity, everything, helm_homes, provide
from tests.cluster.stand_in_kubelet import StandInKubelet
from tests.molecule import running

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KUBECONFIG")), reason="a given cluster gets no components"
)

_SETTLE_SECONDS = 120.0
# kubernetes.core compares a release's values without Helm's plugin; a chart brought the definition a moment before.
_WARNED_OF = ("Install helm diff", "storage is (re)initializing")


@pytest.fixture
def directory() -> t.Iterator[Path]:
    """A short path, as Molecule's sockets need it."""
    made = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


def test_the_scenario_leaves_the_cluster_as_it_was(directory: Path) -> None:
    with (
        ControlPlane(webhooks=False) as plane,
        StandInKubelet(str(plane.kubeconfig)),
        connect(str(plane.kubeconfig)) as api,
    ):
        provide(str(plane.kubeconfig))
        before = everything(api)
        programs = [str(building.directory(name)) for name in ("helm", "kubernetes")]
        environment = {
            "KUBECONFIG": str(plane.kubeconfig),
            "INFERENCEBOX_BUNDLE": str(bundle.make(directory / "bundle")),
            "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
            **helm_homes(directory),
        }
        running.run(directory, "kubernetes", environment).judge(_WARNED_OF)
        after = _settled(api, before)
    assert after - before == set()
    assert before - after == set()


def _settled(api: Api, wanted: set[Identity]) -> set[Identity]:
    """All objects, once controllers have taken away what belonged to others."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (found := everything(api)) != wanted and time.monotonic() < deadline:
        time.sleep(1)
    return found
