# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which programs a node runs, in which order and with which arguments."""

from __future__ import annotations

import typing as t

from .layout import API_PORT, Host, Layout

Row = dict[str, t.Any]

# Upstream's programs, which no distribution has in these versions.
API_SERVER = "kube-apiserver"
KUBERNETES = (
    "etcd",
    API_SERVER,
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
# What then installs charts.
HELM = "helm"
# What runs containers, and Debian's package that has it.
RUNTIME = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
}
# What gives pods their network.
PLUGINS = ("bridge", "host-local", "loopback")
# What configures the kernel.
KERNEL = {
    "ip": "iproute2",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}

# Everything runs before what needs it, and stops after it.
_PRIORITIES = {"etcd": 100, "containerd": 150, "kube-apiserver": 200, "kubelet": 400}
_LATER = 300
# Folders that they make for containers are of containers' users too.
_OPEN = ("containerd", "kubelet")
# All are asked at once, and the API server would wait for a store that is gone; what it was asked to keep is kept there.
_STOP_SECONDS = 5


def server_side(layout: Layout, host: Host) -> list[Row]:
    """What must run before images can be imported and anything can be a client of the API server."""
    return [
        _row(layout, host, "etcd", _etcd(layout), _pairs(layout, "etcd", "etcd-ca")),
        _row(layout, host, "containerd", _containerd(layout), [layout.path("etc/containerd.toml")]),
        _row(
            layout,
            host,
            "kube-apiserver",
            _api_server(layout),
            [
                layout.path("etc/authentication.json"),
                *_pairs(layout, "kube-apiserver", "ca", "front-proxy-ca", "service-accounts"),
            ],
        ),
    ]


def client_side(layout: Layout, host: Host) -> list[Row]:
    """What is a client of the API server."""
    kubelet = {
        "config": layout.path("etc/kubelet.json"),
        "kubeconfig": layout.kubeconfig("kubelet"),
        "hostname-override": layout.name,
        "node-ip": layout.address,
        "root-dir": layout.path("kubelet"),
        "cert-dir": layout.path("kubelet", "pki"),
    }
    proxy = {"config": layout.path("etc/kube-proxy.json")}
    return [
        _row(
            layout,
            host,
            "kube-controller-manager",
            _controller_manager(layout),
            _client_files(layout, "kube-controller-manager"),
        ),
        _row(
            layout,
            host,
            "kube-scheduler",
            _scheduler(layout),
            _client_files(layout, "kube-scheduler"),
        ),
        _row(
            layout,
            host,
            "kubelet",
            kubelet,
            [kubelet["config"], kubelet["kubeconfig"], *_pairs(layout, "kubelet", "ca")],
        ),
        _row(
            layout,
            host,
            "kube-proxy",
            proxy,
            [proxy["config"], layout.kubeconfig("kube-proxy")],
        ),
    ]


def wait_for_api(layout: Layout, seconds: float) -> Row:
    """What the module supervisor waits for: the API server, ready by its own word."""
    gateway = {
        "address": layout.address,
        "port": API_PORT,
        "name": "kubernetes",
        "ca_file": layout.certificate("ca"),
    }
    return {
        "program": "kube-apiserver",
        "gateway": gateway,
        "path": "/readyz",
        "timeout": seconds,
        "log": layout.path("logs", "kube-apiserver.log"),
        "bounds": "platform_cluster.ready_timeout",
    }


def _row(layout: Layout, host: Host, name: str, flags: Row, reads: t.Sequence[str]) -> Row:
    log = layout.path("logs", f"{name}.log")
    arguments = [f"--{key}={value}" for key, value in flags.items()]
    return {
        "name": name,
        "command": [
            host.programs["nsenter"],
            f"--net={layout.network_namespace}",
            host.programs[name],
            *arguments,
        ],
        "stdout_log": log,
        "stderr_log": log,
        "directory": layout.directory,
        "umask": "022" if name in _OPEN else "077",
        "environment": {"PATH": _search_path(host)},
        "revision": host.stamps[name],
        "reads": list(reads),
        "priority": _PRIORITIES.get(name, _LATER),
        "stop_seconds": _STOP_SECONDS,
    }


def _search_path(host: Host) -> str:
    """Where the parts look for programs that they start: the node's own first, then the machine's."""
    own = [path.rpartition("/")[0] for path in host.programs.values()]
    machine = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    return ":".join(dict.fromkeys([*own, *machine]))


def _pairs(layout: Layout, *names: str) -> list[str]:
    """Certificates, whose change is a restart; their keys stay what they are."""
    return [layout.certificate(name) for name in names]


def _client_files(layout: Layout, name: str) -> list[str]:
    return [layout.kubeconfig(name), *_pairs(layout, f"{name}-server", "ca")]


def _etcd(layout: Layout) -> Row:
    url, peer_url = "https://127.0.0.1:2379", "https://127.0.0.1:2380"
    certificate, key = layout.certificate("etcd"), layout.key("etcd")
    authority = layout.certificate("etcd-ca")
    return {
        "name": layout.name,
        "data-dir": layout.path("etcd"),
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"{layout.name}={peer_url}",
        "cert-file": certificate,
        "key-file": key,
        "trusted-ca-file": authority,
        "client-cert-auth": "true",
        "peer-cert-file": certificate,
        "peer-key-file": key,
        "peer-trusted-ca-file": authority,
        "peer-client-cert-auth": "true",
        "log-level": "warn",
    }


def _containerd(layout: Layout) -> Row:
    return {"config": layout.path("etc/containerd.toml")}


def _api_server(layout: Layout) -> Row:
    crt, key = layout.certificate, layout.key
    return {
        "bind-address": layout.address,
        "advertise-address": layout.address,
        "secure-port": API_PORT,
        "etcd-servers": "https://127.0.0.1:2379",
        "etcd-cafile": crt("etcd-ca"),
        "etcd-certfile": crt("kube-apiserver-etcd-client"),
        "etcd-keyfile": key("kube-apiserver-etcd-client"),
        "tls-cert-file": crt("kube-apiserver"),
        "tls-private-key-file": key("kube-apiserver"),
        "client-ca-file": crt("ca"),
        "authentication-config": layout.path("etc/authentication.json"),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-client-certificate": crt("kube-apiserver-kubelet-client"),
        "kubelet-client-key": key("kube-apiserver-kubelet-client"),
        "kubelet-certificate-authority": crt("ca"),
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": crt("service-accounts"),
        "service-account-signing-key-file": key("service-accounts"),
        "service-cluster-ip-range": str(layout.services),
        "requestheader-client-ca-file": crt("front-proxy-ca"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": crt("front-proxy-client"),
        "proxy-client-key-file": key("front-proxy-client"),
        # The API server is no pod: it finds the pods of a Service, not the Service.
        "enable-aggregator-routing": "true",
        "allow-privileged": "true",
        "profiling": "false",
    }


def _controller_manager(layout: Layout) -> Row:
    crt, key = layout.certificate, layout.key
    return {
        **_loopback_client(layout, "kube-controller-manager"),
        "use-service-account-credentials": "true",
        "service-account-private-key-file": key("service-accounts"),
        "root-ca-file": crt("ca"),
        "cluster-signing-cert-file": crt("ca"),
        "cluster-signing-key-file": key("ca"),
        "cluster-name": layout.name,
        # One node has all addresses of pods.
        "allocate-node-cidrs": "false",
        # It makes this folder, whether anybody has such plugins or not.
        "flex-volume-plugin-dir": layout.path("kubelet", "volume-plugins"),
    }


def _scheduler(layout: Layout) -> Row:
    return _loopback_client(layout, "kube-scheduler")


def _loopback_client(layout: Layout, name: str) -> Row:
    """What controller manager and scheduler have in common: one of each, heard on loopback alone."""
    config = layout.kubeconfig(name)
    return {
        "kubeconfig": config,
        "authentication-kubeconfig": config,
        "authorization-kubeconfig": config,
        "client-ca-file": layout.certificate("ca"),
        "requestheader-client-ca-file": layout.certificate("front-proxy-ca"),
        "bind-address": "127.0.0.1",
        "tls-cert-file": layout.certificate(f"{name}-server"),
        "tls-private-key-file": layout.key(f"{name}-server"),
        "leader-elect": "false",
        "profiling": "false",
    }
