# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures: the cluster that is asked, what it knows, and a platform's name for each test.

KUBECONFIG names a cluster. Tests make namespaces of random names there and remove them; they install no definitions
in it. Without KUBECONFIG a control plane is built, started and removed again.
"""

from __future__ import annotations

import os
import secrets
import string
import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api, connect

from tests.cluster import controlled, definitions
from tests.cluster.components import proxies
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Installed, programs
from tests.cluster.steps import Platform

_VARIABLE = "KUBECONFIG"


def pytest_report_header() -> str:
    """Say whose cluster it will be: it is about to get namespaces."""
    given = os.environ.get(_VARIABLE)
    return f"cluster: {given}" if given else "cluster: a control plane of the tests' own"


@pytest.fixture(scope="session")
def kubeconfig() -> t.Iterator[str]:
    """Path of a kubeconfig with an administrator's rights."""
    if given := os.environ.get(_VARIABLE):
        yield given
        return
    with ControlPlane() as plane:
        yield str(plane.kubeconfig)


@pytest.fixture(scope="session")
def defined(kubeconfig: str) -> str:
    """The kubeconfig of a cluster that serves upstream's kinds; in a given one, those that it has."""
    if not os.environ.get(_VARIABLE):
        definitions.install(kubeconfig)
    return kubeconfig


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Installed]:
    """The proven platform on a cluster of the tests' own, whose controllers are real."""
    if lacking := controlled.missing():
        pytest.skip(lacking)
    found = {} if proxies.missing() else proxies.programs()
    with controlled.ControlledCluster(programs={**found, **programs()}) as cluster:
        made = Installed(cluster, tmp_path_factory.mktemp("installed"))
        made.ready()
        yield made


@pytest.fixture
def api(kubeconfig: str) -> t.Iterator[Api]:
    """A connection beside the one under test."""
    with connect(kubeconfig) as connection:
        yield connection


@pytest.fixture
def platform(kubeconfig: str) -> t.Iterator[Platform]:
    """A platform of a random name, of which nothing is left when the test is over."""
    made = Platform(random_name(), kubeconfig)
    yield made
    made.remove()


@pytest.fixture
def other(kubeconfig: str) -> t.Iterator[Platform]:
    """Another platform on the same cluster."""
    made = Platform(random_name(), kubeconfig)
    yield made
    made.remove()


def random_name() -> str:
    """A DNS label that nobody else has."""
    return "ib-test-" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(8))
