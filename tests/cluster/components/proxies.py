# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Istio's proxies: the real agent, which starts upstream's Envoy, in gateways and beside models."""

from __future__ import annotations

import shutil
from pathlib import Path

from inferencebox.bundle.charts import ISTIO
from inferencebox.programs import building
from tests.cluster import standalone_gateway
from tests.cluster.node.sandbox import Program

from . import istio

_AGENT = "/programs/pilot-agent"
# Where Istio's image has it; the agent makes Envoy's first configuration of it.
_TEMPLATE = "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json"
# What Istio's CNI plugin does in a Pod's network: all that comes in or goes out passes the sidecar, whose own traffic and
# ports excepted. https://github.com/istio/istio, cni/pkg/plugin
_REDIRECT = (
    "istio-iptables",
    "--envoy-port=15001",
    "--inbound-capture-port=15006",
    "--proxy-uid=1337",
    "--proxy-gid=1337",
    "--istio-inbound-interception-mode=REDIRECT",
    "--istio-inbound-ports=*",
    "--istio-local-exclude-ports=15090,15021,15020",
    "--istio-service-cidr=*",
)


def programs() -> dict[str, Program]:
    """What stands for the proxies' image."""
    found = standalone_gateway.programs()
    assert found is not None, "run make gateway-programs"
    agent = building.directory("istio") / "pilot-agent"
    template = ISTIO.directory() / "tools/packaging/common/envoy_bootstrap.json"
    files = {_AGENT: agent, istio.ENVOY: found[1], _TEMPLATE: template}
    prepares = {"istio-validation": (str(agent), *_REDIRECT)}
    return {"proxyv2": Program(files, (_AGENT,), ("/var/lib/istio/data",), prepares)}


def missing() -> str:
    """What this machine lacks for them; empty where nothing."""
    if standalone_gateway.programs() is None:
        return "needs the packages of make gateway-programs"
    if not (shutil.which("iptables-save") or Path("/usr/sbin/iptables-save").exists()):
        return "needs iptables"
    return ""
