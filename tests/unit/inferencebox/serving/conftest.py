# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.inferencebox.serving.replica import Replica, start, write_spec
from tests.unit.runtime_environment import runtime_python


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """A server sets its own mask, which shall not outlast the test that calls it in this process."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def python() -> Path:
    """Interpreter of the runtime environment."""
    return runtime_python()


def _sample(
    python: Path, directory: Path, name: str, framework: str, package: str
) -> Iterator[Replica]:
    (artifact,) = python.parents[1].glob(f"lib/python3.*/site-packages/{package}")
    replica = start(
        python, write_spec(directory, name=name, framework=framework, artifact=str(artifact))
    )
    yield replica
    replica.stop()


@pytest.fixture(scope="session")
def iris(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    directory = tmp_path_factory.mktemp("iris")
    yield from _sample(python, directory, "iris", "sklearn", "inferencebox_samples/iris")


@pytest.fixture(scope="session")
def wine(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    directory = tmp_path_factory.mktemp("wine")
    yield from _sample(python, directory, "wine", "lightgbm", "inferencebox_samples/wine")
