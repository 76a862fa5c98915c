# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Envoy Gateway, whose extension is the AI Gateway: without it, its proxies get nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import Platform
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    component_values,
)

from inferencebox.bundle.charts import PLACEHOLDERS
from inferencebox.programs import building
from tests.cluster import definitions, standalone_gateway
from tests.cluster.node.sandbox import Program

from . import helm

NAMESPACE = "envoy-gateway-system"


def programs() -> dict[str, Program]:
    """What stands for its image, and for that of its proxies where this machine has their program."""
    place = "/usr/local/bin/envoy-gateway"
    built = building.directory("envoy-gateway") / "envoy-gateway"
    programs = {"gateway": Program({place: built}, (place,), ("/var/lib/eg",))}
    if found := standalone_gateway.programs():
        proxy = "/usr/local/bin/envoy"
        programs["envoy"] = Program({proxy: found[1]}, (proxy,))
    return programs


def install(kubeconfig: str, platform: Platform) -> None:
    """Install it as the platform needs it, and wait until it is there."""
    values = component_values.envoy_gateway(platform)
    (source,) = (one for one in definitions.SOURCES if one.component == "envoy-gateway")
    with tempfile.TemporaryDirectory() as directory:
        chart = Path(directory) / "gateway-helm"
        # Of the module's chart, the release makes the file of values.
        shutil.copytree(
            source.directory() / "charts/gateway-helm", chart, copy_function=shutil.copy
        )
        text = (chart / "values.tmpl.yaml").read_text()
        for placeholder, value in PLACEHOLDERS.items():
            text = text.replace(placeholder, value)
        (chart / "values.yaml").write_text(text)
        helm.install(kubeconfig, "eg", chart, NAMESPACE, values)
