# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cluster whose controllers are real: control plane, scheduler, a node, Istio, KServe, Envoy Gateway with the AI Gateway.

Everything runs in networks of its own, on fixed ports as in a cluster; this machine reaches all of it. Needs root
for the networks, and builds what it runs, which takes long the first time.
"""

from __future__ import annotations

import contextlib
import tempfile
import types
import typing as t
from collections.abc import Collection, Mapping
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load

from tests.cluster import definitions, proven
from tests.cluster.components import ai_gateway, envoy_gateway, istio, keda, knative, kserve
from tests.cluster.control_plane import ControlPlane
from tests.cluster.network import Lan
from tests.cluster.node import sandbox
from tests.cluster.node.node import Node
from tests.cluster.node.sandbox import Program

COMPONENTS = ("istio", "kserve", "ai-gateway", "envoy-gateway")


class ControlledCluster:
    """Starts on entering a `with` block, is gone on leaving it.

    Args:
        components: Which controllers are installed, in this order: of `COMPONENTS`, `knative` and `keda`.
        inventory: The platform that they are set up for.
        programs: What stands for more images.

    Attributes:
        kubeconfig: Path of an administrator's kubeconfig.
        lan: The network that all of it shares.
        node: Where Pods run.
    """

    def __init__(
        self,
        components: Collection[str] = COMPONENTS,
        *,
        inventory: Mapping[str, t.Any] = proven.INVENTORY,
        programs: Mapping[str, Program] | None = None,
    ) -> None:
        self._components = components
        self._platform = load(inventory)
        self._programs = dict(programs or {})
        self._stack = contextlib.ExitStack()
        self.kubeconfig = ""

    def __enter__(self) -> t.Self:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        parts: dict[str, t.Any] = {
            "ai-gateway": ai_gateway,
            "istio": istio,
            "keda": keda,
            "knative": knative,
            "kserve": kserve,
            "envoy-gateway": envoy_gateway,
        }
        for name in self._components:
            self._programs |= parts[name].programs()
        self.lan = Lan()
        stack.callback(self.lan.remove)
        plane = stack.enter_context(ControlPlane(lan=self.lan))
        self.kubeconfig = str(plane.kubeconfig)
        # Istio's chart owns Istio's definitions.
        definitions.install(self.kubeconfig, {"istio"} & set(self._components))
        files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ib-node-")))
        self.node = stack.enter_context(
            Node(self.kubeconfig, self.lan, self._programs, files / "pods")
        )
        for name in self._components:
            parts[name].install(self.kubeconfig, self._platform)


def missing() -> str:
    """What this machine lacks for such a cluster; empty where nothing."""
    if not sandbox.available():
        return "needs root, and bubblewrap, util-linux and iproute2"
    return ""
