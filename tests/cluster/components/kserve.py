# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KServe: its controller with its webhooks, and its own runtimes.

cert-manager, which issues the webhooks' certificate, is in no module that can be built. What it would do for this
one Certificate is done here: the Secret, and the authority in each webhook.
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import Platform
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    component_values,
)

from inferencebox.programs import building
from tests.cluster import definitions
from tests.cluster.certificates import Authority
from tests.cluster.node.requests import Requests
from tests.cluster.node.sandbox import Program

from . import helm

NAMESPACE = "kserve"
_SECRET = "kserve-webhook-server-cert"
_SERVICE = "kserve-webhook-server-service"


def programs() -> dict[str, Program]:
    """What stands for the controller's image."""
    built = building.directory("kserve")
    return {"kserve-controller": Program({"/manager": built / "manager"}, ("/manager",))}


def charts() -> Path:
    """Where the module keeps its charts."""
    (source,) = (one for one in definitions.SOURCES if one.component == "kserve")
    return source.directory() / "charts"


def install(kubeconfig: str, platform: Platform) -> None:
    """Install the controller and the runtimes, and wait until its webhooks answer."""
    with Requests.to(kubeconfig) as api:
        authority = _certificate(api)
        chart = charts() / "kserve-resources"
        values = component_values.kserve(platform)
        # Some of its own objects pass its own webhooks, which answer later.
        helm.install(kubeconfig, "kserve", chart, NAMESPACE, values, wait=False)
        _trust(api, authority)
    helm.install(kubeconfig, "kserve", chart, NAMESPACE, values)
    values = component_values.kserve_runtimes(platform)
    chart = charts() / "kserve-runtime-configs"
    helm.install(kubeconfig, "kserve-runtimes", chart, NAMESPACE, values)


def _certificate(api: Requests) -> bytes:
    """Make the Secret that the Certificate of the chart asks for; the authority is returned."""
    if api.find(f"/api/v1/namespaces/{NAMESPACE}") is None:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        api.create("/api/v1/namespaces", space)
    with tempfile.TemporaryDirectory() as directory:
        authority = Authority(Path(directory))
        names = (f"{_SERVICE}.{NAMESPACE}.svc",)
        certificate, key = authority.issue("webhooks", names=names)
        trusted = authority.certificate.read_bytes()
        content = {"tls.crt": certificate.read_bytes(), "tls.key": key.read_bytes()}
    api.create(
        f"/api/v1/namespaces/{NAMESPACE}/secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": _SECRET},
            "data": {name: base64.b64encode(value).decode() for name, value in content.items()},
        },
    )
    return trusted


def _trust(api: Requests, authority: bytes) -> None:
    root = "/apis/admissionregistration.k8s.io/v1"
    for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for one in api.items(f"{root}/{kind}"):
            if not one["metadata"]["name"].endswith("serving.kserve.io"):
                continue
            for hook in one["webhooks"]:
                hook["clientConfig"]["caBundle"] = base64.b64encode(authority).decode()
            path = f"{root}/{kind}/{one['metadata']['name']}"
            api.merge(path, {"webhooks": one["webhooks"]})
