# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files that configure the parts of a node."""

from __future__ import annotations

import json
import typing as t

from . import pki
from .layout import CLUSTER_DOMAIN, KUBELET_PORT, Host, Layout

Row = dict[str, str]
Object = dict[str, t.Any]

BRIDGE = "pods"

# What containerd brings and a node does without.
_DISABLED_PLUGINS = (
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
)


def files(layout: Layout, host: Host) -> list[Row]:
    """Rows of the module state_files."""
    wanted = {
        "etc/authentication.json": _json(_authentication()),
        "etc/kubelet.json": _json(_kubelet(layout)),
        "etc/kube-proxy.json": _json(_proxy(layout)),
        "etc/containerd.toml": _containerd(layout, host),
        # Pods that ask for the node's own name service get none: it has no way out.
        "etc/resolv.conf": "",
        **{f"kubeconfigs/{name}.conf": _json(kubeconfig(layout, name)) for name in pki.CLIENTS},
        "kubeconfigs/kubelet.conf": _json(kubeconfig(layout, "kubelet-client")),
    }
    return [
        {"path": layout.path(name), "content": content, "mode": "0600"}
        for name, content in wanted.items()
    ]


def kubeconfig(layout: Layout, name: str) -> Object:
    """Say how the owner of a certificate reaches the API server; its key stays in its own file."""
    user = {
        "client-certificate": layout.certificate(name),
        "client-key": layout.key(name),
    }
    cluster = {"server": layout.api, "certificate-authority": layout.certificate("ca")}
    context = {"cluster": layout.name, "user": name}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": layout.name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": layout.name, "context": context}],
        "current-context": layout.name,
    }


def _authentication() -> Object:
    """Whoever brings no identity may see whether the server is alive, and nothing else."""
    paths = [{"path": path} for path in ("/livez", "/readyz")]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": paths},
    }


def _kubelet(layout: Layout) -> Object:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.address,
        "port": KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": layout.certificate("ca")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": layout.certificate("kubelet"),
        "tlsPrivateKeyFile": layout.key("kubelet"),
        "containerRuntimeEndpoint": f"unix://{layout.runtime_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": layout.cgroup,
        # Machines whose control groups are of the first version are still about.
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [layout.name_service],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": layout.path("etc", "resolv.conf"),
        # kube-proxy has rules of nftables, and needs none of the kubelet's.
        "makeIPTablesUtilChains": False,
        # Root of a container may open no more files than it could raise its limit to.
        "maxOpenFiles": 20000,
        "podPidsLimit": 4096,
        "serializeImagePulls": False,
        # An image that is removed could not be had again.
        "imageGCHighThresholdPercent": 100,
        # The defaults keep a tenth of the disk free, which on a large one is more than all pods need.
        "evictionHard": {
            "memory.available": "200Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "podLogsDir": layout.path("logs", "pods"),
        "volumePluginDir": layout.path("kubelet", "volume-plugins"),
    }


def _proxy(layout: Layout) -> Object:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": layout.address,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": layout.kubeconfig("kube-proxy")},
        "hostnameOverride": layout.name,
        "clusterCIDR": str(layout.pods),
        "mode": "nftables",
        "nodePortAddresses": [f"{layout.address}/32"],
        # The size of the kernel's table is the machine's matter.
        "conntrack": {"maxPerCore": 0, "min": 0},
        "detectLocalMode": "ClusterCIDR",
    }


def pod_network(layout: Layout) -> Object:
    """All pods on one bridge, no address translation: there is no way out that would need it."""
    return {
        "cniVersion": "1.0.0",
        "name": layout.link,
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                # isDefaultGateway would set the route that IPAM sets.
                "isGateway": True,
                "hairpinMode": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": layout.path("cni"),
                    "ranges": [[{"subnet": str(layout.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }


def _containerd(layout: Layout, host: Host) -> str:
    """Containerd's settings in version 2, which every release since 1.3 reads."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    sections: dict[str, Object] = {
        "grpc": {"address": layout.runtime_socket},
        "ttrpc": {"address": f"{layout.runtime_socket}.ttrpc"},
        'plugins."io.containerd.internal.v1.opt"': {"path": layout.path("containerd", "opt")},
        cri: {
            "sandbox_image": layout.image("pause"),
            "stream_server_address": "127.0.0.1",
            "stream_server_port": "0",
            "netns_mounts_under_state_dir": True,
            # Without that right no container would start: each asks for a score of its own.
            "restrict_oom_score_adj": not host.lowers_oom_scores,
        },
        f"{cri}.cni": {
            # Both are the node's own: a mesh puts itself beside the plugins and into the configuration.
            "bin_dir": layout.path("plugins"),
            "conf_dir": layout.path("etc", "cni"),
        },
        f"{cri}.containerd": {"snapshotter": "overlayfs", "default_runtime_name": "runc"},
        f"{cri}.containerd.runtimes.runc": {"runtime_type": "io.containerd.runc.v2"},
        f"{cri}.containerd.runtimes.runc.options": {
            "BinaryName": host.programs["runc"],
            "Root": layout.path("run", "runc"),
            "SystemdCgroup": False,
        },
    }
    head = {
        "version": 2,
        "root": layout.path("containerd"),
        "state": layout.path("run", "containerd"),
        "disabled_plugins": list(_DISABLED_PLUGINS),
    }
    parts = [_toml(head), *(f"[{name}]\n{_toml(values)}" for name, values in sections.items())]
    return "\n".join(parts)


def _toml(values: Object) -> str:
    """Write plain values; in TOML text, numbers, truth values and lists of text look as in JSON."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def _json(value: Object) -> str:
    return json.dumps(value, indent=2) + "\n"
