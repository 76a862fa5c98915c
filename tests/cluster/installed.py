# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform on a cluster whose controllers are real, with tier 2's gateway, as tests look at it."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import connect
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load

from tests.cluster import proven
from tests.cluster.components import istio, proxies
from tests.cluster.controlled import ControlledCluster
from tests.cluster.node.requests import Requests
from tests.cluster.node.sandbox import Program
from tests.cluster.signer import Signer
from tests.cluster.steps import Object, Platform, homes

# Objects of these groups wait for controllers that are in no module that can be built.
_UNCONTROLLED = ("cert-manager.io", "keda.sh", "monitoring.coreos.com")
_READY_SECONDS = 300.0
# Images of the proven platform's models and of its transformer.
_MODELS = ("sklearnserver", "lgbserver", "xgbserver", "runtime", "transformer")


def programs() -> dict[str, Program]:
    """What stands for model servers."""
    place = "/programs/echo_model.py"
    echo = Program({place: Path(__file__).with_name("echo_model.py")}, ("/usr/bin/python3", place))
    return dict.fromkeys(_MODELS, echo)


class Installed:
    """The proven platform.

    Args:
        cluster: Where it is.
        directory: For the files of its certificates.

    Attributes:
        objects: Its objects, without those of kinds that the cluster does not serve.
        platform: Applies them.
        authority: Vouches for the certificates between the tiers.
        directory: Where the files of these certificates are.
        signer: The built-in issuer of its tokens.
        missing_proxies: Why no proxy runs; empty where they do.
    """

    def __init__(self, cluster: ControlledCluster, directory: Path) -> None:
        self.cluster = cluster
        self.directory = directory
        self.missing_proxies = proxies.missing()
        model = load(proven.INVENTORY)
        with connect(cluster.kubeconfig) as api:
            served = Resources.of(api)
        self.objects = [
            one for one in kubernetes.objects(model) if served.find(one["apiVersion"], one["kind"])
        ]
        self.platform = Platform(model.name, cluster.kubeconfig)
        self.api = Requests.to(cluster.kubeconfig)
        others = Platform("components", cluster.kubeconfig)
        report = others.apply(homes(self.objects))
        assert not report.problem, report.problem
        report = self.platform.apply(kubernetes.objects(model, "system"))
        assert not report.problem, report.problem
        self.authority, secrets = proven.secrets(directory)
        report = others.apply(secrets)
        assert not report.problem, report.problem
        # Keys of issuers are made at install.
        self.signer = Signer(model.base_url, model.base_url, "tenant")
        callers = kubernetes.Callers({"builtin": json.loads(self.signer.key_set())})
        self.objects += callers.objects(model)
        report = self.platform.apply(self.objects)
        assert not report.problem, report.problem
        istio.install_tier2(cluster.kubeconfig, model)

    @property
    def controlled(self) -> list[Object]:
        """The objects that controllers of this cluster make ready."""
        return [
            one for one in self.objects if one["apiVersion"].partition("/")[0] not in _UNCONTROLLED
        ]

    def ready(self) -> None:
        """Wait as an installation does until all of it is ready that can be."""
        report = self.platform.apply(self.controlled, wait_timeout=_READY_SECONDS)
        assert not report.problem, report.problem

    def get(self, kind: str, name: str, namespace: str = proven.NAMESPACE) -> Object:
        """Read one of the objects that it consists of, as it is now.

        Args:
            kind: Its kind.
            name: Its name.
            namespace: Its namespace.
        """
        (one,) = (
            each
            for each in self.objects
            if (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace", ""))
            == (kind, name, namespace)
        )
        with connect(self.cluster.kubeconfig) as api:
            resource = Resources.of(api).find(one["apiVersion"], one["kind"])
            assert resource is not None
            return api.get(resource.path(namespace, name))

    def pods(self, namespace: str, selector: str) -> list[Object]:
        """List Pods by label."""
        return self.api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)

    def address(self, namespace: str, selector: str) -> str:
        """Find the address of the first Pod that carries a label."""
        return str(self.pods(namespace, selector)[0]["status"]["podIP"])

    def asked(self, namespace: str, service: str) -> list[t.Any]:
        """List what the servers of an InferenceService were asked."""
        selector = f"serving.kserve.io/inferenceservice={service}"
        found: list[t.Any] = []
        for pod in self.pods(namespace, selector):
            found += json.loads(self.inside(pod, "http://127.0.0.1:8080/asked"))
        return found

    def proxies(self) -> list[Object]:
        """List the Pods that have a proxy."""
        return [
            pod
            for pod in self.api.items("/api/v1/pods")
            for one in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
            if one["name"] == "istio-proxy"
        ]

    def admin(self, pod: Object, path: str) -> str:
        """Ask a proxy's own administration interface, which listens on its loopback alone."""
        return self.inside(pod, f"http://127.0.0.1:15000{path}")

    def inside(self, pod: Object, url: str) -> str:
        """Ask what listens on a Pod's own loopback."""
        network = self.cluster.lan.network(pod["metadata"]["uid"])
        words = ["curl", "--silent", "--show-error", "--fail", "--max-time", "20", url]
        done = subprocess.run(network.command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{pod['metadata']['name']} {url}: {done.stderr}"
        return done.stdout
