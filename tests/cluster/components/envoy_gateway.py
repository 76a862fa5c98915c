# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Envoy Gateway, without the AI Gateway's controller."""

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
from tests.cluster import definitions
from tests.cluster.node.sandbox import Program

from . import helm

NAMESPACE = "envoy-gateway-system"


def programs() -> dict[str, Program]:
    """What stands for its image."""
    place = "/usr/local/bin/envoy-gateway"
    built = building.directory("envoy-gateway") / "envoy-gateway"
    return {"gateway": Program({place: built}, (place,), ("/var/lib/eg",))}


def install(kubeconfig: str, platform: Platform) -> None:
    """Install it as the platform needs it, but for its extension, and wait until it is there."""
    values = component_values.envoy_gateway(platform)
    # Nobody would answer: Envoy Gateway would then give its proxies nothing.
    del values["config"]["envoyGateway"]["extensionManager"]
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
