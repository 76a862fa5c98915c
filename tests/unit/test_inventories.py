# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shipped inventories: valid, and different in nothing but where the platform runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import NAMESPACES

from inferencebox.cli.config import load_inventory

CLUSTERS = ("existing", "kind", "edge", "eks", "gke", "aks")


@pytest.mark.parametrize("topic", ["tenants", "models"])
@pytest.mark.parametrize("name", CLUSTERS)
def test_tenants_and_models_are_the_same_everywhere(root: Path, name: str, topic: str) -> None:
    files = [root / f"inventories/{each}/group_vars/all/{topic}.yml" for each in ("local", name)]
    first, second = (file.read_bytes() for file in files)
    assert first == second


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_of_the_shipped_inventories_has_objects(root: Path, name: str) -> None:
    platform = load_inventory(str(root / "inventories" / name))
    made = kubernetes.objects(platform)
    assert {found["metadata"].get("namespace") for found in made} <= {
        None,
        platform.cluster.namespace,
        *(tenant.name for tenant in platform.tenants),
        *NAMESPACES.values(),
    }
