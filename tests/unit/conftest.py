# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the checkout importable as a collection, as the bootstrap does, wherever the tests are started."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader

ROOT = Path(__file__).resolve().parents[2]


def _collections_directory() -> Path:
    """Return a directory that holds the checkout as ``ansible_collections/inferencebox/platform``."""
    bootstrapped = ROOT / ".cache/collections"
    link = bootstrapped / "ansible_collections/inferencebox/platform"
    if link.exists() and link.resolve() == ROOT:
        return bootstrapped
    made = Path(tempfile.mkdtemp(prefix="collections-"))
    link = made / "ansible_collections/inferencebox/platform"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    return made


# At import, not in a fixture: test modules import the collection when they are collected.
COLLECTIONS = _collections_directory()
sys.path[:0] = [path for path in (str(COLLECTIONS), str(ROOT / "src")) if path not in sys.path]
init_plugin_loader([str(COLLECTIONS)])


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden files are written anew on request only."""
    parser.addoption("--write-golden", action="store_true", help="write golden files anew")
