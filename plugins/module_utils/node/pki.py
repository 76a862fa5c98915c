# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The authorities and certificates by which the parts of a node know each other.

The way of kubeadm: an authority each for the cluster, for the store and for the API server as a proxy, so that what one
vouches for is worth nothing to another. https://kubernetes.io/docs/setup/best-practices/certificates/
"""

from __future__ import annotations

import typing as t

from .layout import CLUSTER_DOMAIN, Layout

Row = dict[str, t.Any]

# Kubernetes' own words: whoever is in the group may do everything, and a node may do what a kubelet needs.
_ADMINISTRATORS = "system:masters"
_NODES = "system:nodes"

# Parts that are clients of the API server, and the user that each of them is.
CLIENTS = {
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "kube-proxy": "system:kube-proxy",
}


def authorities(layout: Layout) -> list[Row]:
    """Arguments of the module certificates, one row for each authority."""
    wanted = {"ca": _cluster(layout), "etcd-ca": _store(layout), "front-proxy-ca": _proxy(layout)}
    return [
        {
            "authority": {
                "certificate": layout.certificate(name),
                "key": layout.key(name),
                "common_name": f"{layout.name} {name}",
            },
            "certificates": rows,
        }
        for name, rows in wanted.items()
    ]


def _cluster(layout: Layout) -> list[Row]:
    service = "kubernetes.default.svc"
    api_names = ["kubernetes", "kubernetes.default", service, f"{service}.{CLUSTER_DOMAIN}"]
    api = [f"DNS:{name}" for name in api_names]
    api += [f"IP:{layout.api_service}", f"IP:{layout.address}"]
    node = {"user": f"system:node:{layout.name}", "group": _NODES}
    return [
        _server(layout, "kube-apiserver", api),
        _client(layout, "kube-apiserver-kubelet-client", group=_ADMINISTRATORS),
        _client(layout, "admin", group=_ADMINISTRATORS),
        _client(layout, "kubelet-client", **node),
        _server(layout, "kubelet", [f"DNS:{layout.name}", f"IP:{layout.address}"]),
        *(_client(layout, name, user=user) for name, user in CLIENTS.items()),
        *(
            _server(layout, f"{name}-server", ["DNS:localhost", "IP:127.0.0.1"])
            for name in ("kube-controller-manager", "kube-scheduler")
        ),
        # Signs tokens of pods; the API server takes the public key out of the certificate.
        _client(layout, "service-accounts"),
    ]


def _store(layout: Layout) -> list[Row]:
    server = _server(layout, "etcd", ["DNS:localhost", "IP:127.0.0.1"])
    # To its peers, of which it is the only one, a server of etcd is a client as well.
    return [
        {**server, "usage": ["serverAuth", "clientAuth"]},
        _client(layout, "kube-apiserver-etcd-client"),
    ]


def _proxy(layout: Layout) -> list[Row]:
    return [_client(layout, "front-proxy-client")]


def _server(layout: Layout, name: str, alternatives: list[str]) -> Row:
    return {**_row(layout, name), "subject_alt_names": alternatives, "usage": ["serverAuth"]}


def _client(layout: Layout, name: str, user: str = "", group: str = "") -> Row:
    row = {**_row(layout, name), "subject_alt_names": [], "usage": ["clientAuth"]}
    return {**row, "common_name": user or name, "organization": group}


def _row(layout: Layout, name: str) -> Row:
    path = layout.certificate(name).removesuffix(".crt")
    return {"name": name, "path": path, "common_name": name}
