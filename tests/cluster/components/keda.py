# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KEDA's operator, from its module's own manifests: its chart is in none."""

from __future__ import annotations

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import manifests
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import Platform

from inferencebox.programs import building
from tests.cluster import definitions, steps
from tests.cluster.node.sandbox import Program

_FILES = (
    "general/namespace",
    "service_account/service_account",
    "rbac/role",
    "rbac/role_binding",
    "manager/service",
    "manager/manager",
)
_SECONDS = 300.0


def programs() -> dict[str, Program]:
    """What stands for the operator's image."""
    return {"keda": Program({"/keda": building.directory("keda") / "keda-operator"}, ("/keda",))}


def install(kubeconfig: str, platform: Platform) -> None:
    """Install the operator, and wait until it is there."""
    (source,) = (one for one in definitions.SOURCES if one.component == "keda")
    folder = source.directory() / "config"
    objects = manifests.read([str(folder / f"{name}.yaml") for name in _FILES])
    report = steps.Platform(platform.name, kubeconfig).apply(objects, wait_timeout=_SECONDS)
    if report.problem:
        raise RuntimeError(report.problem)
