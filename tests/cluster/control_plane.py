# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Kubernetes control plane: etcd, API server and controller manager as plain processes.

Loopback ports only, or a network of its own; mutual TLS between all of them, a temporary directory of their own, and
nothing of it is left when it is closed or when the process that started it dies.
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
import types
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from inferencebox.programs import building
from tests.cluster.certificates import Authority, private_pem
from tests.cluster.network import Lan
from tests.cluster.processes import Processes
from tests.ports import free_ports

_LOOPBACK = "127.0.0.1"
# What a cluster without nodes and cloud has use for: quotas, namespaces, owners, accounts, aggregated roles,
# and that a volume claim may go.
_CONTROLLERS = (
    "clusterrole-aggregation-controller,garbage-collector-controller,namespace-controller,"
    "persistentvolumeclaim-protection-controller,resourcequota-controller,"
    "root-ca-certificate-publisher-controller,serviceaccount-controller"
)
# What one with nodes has use for besides.
_WORKLOAD_CONTROLLERS = (
    ",deployment-controller,disruption-controller,endpointslice-controller,"
    "endpoints-controller,endpointslice-mirroring-controller,"
    "horizontal-pod-autoscaler-controller,job-controller,replicaset-controller"
)
_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""


class ControlPlane:
    """Starts on entering a `with` block, stops on leaving it.

    Args:
        audit: Write one line for each request to `audit_log`.
        webhooks: Ask admission webhooks. Where nothing runs that would answer, they refuse what they are asked about.
        lan: The network that it shares with nodes; a scheduler then runs too, and webhooks are called where
            their Services' endpoints are.
    """

    def __init__(
        self, *, audit: bool = False, webhooks: bool = True, lan: Lan | None = None
    ) -> None:
        self._audit = audit
        self._webhooks = webhooks
        self._nodes = lan is not None
        self._host = lan.address if lan else _LOOPBACK
        self.directory = Path(tempfile.mkdtemp(prefix="ib-cluster-"))
        self._processes = Processes(self.directory, lan)
        self.kubeconfig = self.directory / "admin.kubeconfig"
        self.audit_log = self.directory / "audit.log"

    def __enter__(self) -> t.Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop what was started, the last first, and remove every file."""
        self._processes.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self) -> None:
        etcd = building.directory("etcd") / "etcd"
        kubernetes = building.directory("kubernetes")
        authority = Authority(self.directory)
        store_port, peer_port, api_port, manager_port = free_ports(4)
        api = f"https://{self._host}:{api_port}"

        self._processes.start(
            "etcd", [str(etcd), *self._etcd_flags(authority, store_port, peer_port)]
        )
        flags = self._api_server_flags(authority, store_port, api_port)
        self._processes.start("kube-apiserver", [str(kubernetes / "kube-apiserver"), *flags])
        self.kubeconfig = authority.kubeconfig("admin", api, "system:masters")
        trust = ssl.create_default_context(cafile=str(authority.certificate))
        trust.load_cert_chain(self.directory / "admin.crt", self.directory / "admin.key")
        self._wait_for(f"{api}/readyz", trust)

        flags = self._controller_manager_flags(authority, api, manager_port)
        program = str(kubernetes / "kube-controller-manager")
        self._processes.start("kube-controller-manager", [program, *flags])
        if self._nodes:
            config = authority.kubeconfig("system:kube-scheduler", api)
            flags = [f"--kubeconfig={config}", "--secure-port=0", "--leader-elect=false"]
            self._processes.start("kube-scheduler", [str(kubernetes / "kube-scheduler"), *flags])
        # The first thing that it makes in every namespace.
        account = f"{api}/api/v1/namespaces/default/serviceaccounts/default"
        self._wait_for(account, trust)

    def _etcd_flags(self, authority: Authority, port: int, peer_port: int) -> list[str]:
        certificate, key = authority.issue("etcd")
        url, peer_url = f"https://127.0.0.1:{port}", f"https://127.0.0.1:{peer_port}"
        return [
            "--name=tests",
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=tests={peer_url}",
            f"--cert-file={certificate}",
            f"--key-file={key}",
            f"--trusted-ca-file={authority.certificate}",
            "--client-cert-auth",
            f"--peer-cert-file={certificate}",
            f"--peer-key-file={key}",
            f"--peer-trusted-ca-file={authority.certificate}",
            "--peer-client-cert-auth",
            # Its data live as long as the tests do.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _api_server_flags(self, authority: Authority, store_port: int, port: int) -> list[str]:
        # The third is how Pods on a node know it.
        names = (self._host, "kubernetes", "kubernetes.default.svc")
        certificate, key = authority.issue("kube-apiserver", names=names)
        signing = self.directory / "service-accounts.key"
        signing.touch(mode=0o600)
        signing.write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
        flags = [
            f"--bind-address={self._host}",
            f"--advertise-address={self._host}",
            f"--secure-port={port}",
            f"--etcd-servers=https://127.0.0.1:{store_port}",
            f"--etcd-cafile={authority.certificate}",
            f"--etcd-certfile={certificate}",
            f"--etcd-keyfile={key}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={authority.certificate}",
            "--anonymous-auth=false",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={signing}",
            f"--service-account-signing-key-file={signing}",
            "--service-cluster-ip-range=10.0.0.0/24",
            # It would point at loopback, which the API refuses.
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
        ]
        if not self._webhooks:
            plugins = "MutatingAdmissionWebhook,ValidatingAdmissionWebhook"
            flags.append(f"--disable-admission-plugins={plugins}")
        if self._nodes:
            # Nothing here makes a Service's own address lead anywhere.
            flags.append("--enable-aggregator-routing=true")
        if self._audit:
            policy = self.directory / "audit-policy.yaml"
            policy.write_text(_AUDIT_POLICY)
            flags += [f"--audit-policy-file={policy}", f"--audit-log-path={self.audit_log}"]
        return flags

    def _controller_manager_flags(self, authority: Authority, api: str, port: int) -> list[str]:
        name = "system:kube-controller-manager"
        kubeconfig = authority.kubeconfig(name, api)
        certificate = self.directory / "system-kube-controller-manager.crt"
        return [
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={certificate.with_suffix('.key')}",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self.directory / 'service-accounts.key'}",
            f"--root-ca-file={authority.certificate}",
            f"--controllers={_CONTROLLERS}{_WORKLOAD_CONTROLLERS if self._nodes else ''}",
            "--leader-elect=false",
        ]

    def _wait_for(self, url: str, trust: ssl.SSLContext) -> None:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )

        def answers() -> bool:
            try:
                with opener.open(url, timeout=5) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        self._processes.wait_until(answers, url)
