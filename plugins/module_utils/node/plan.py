# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a node: what the roles need, part by part."""

from __future__ import annotations

import json
import typing as t

from ..catalogue import train
from ..inventory import Platform
from . import callers, objects, pki, programs, settings
from .layout import Host, Layout

Data = dict[str, t.Any]

# In the folder of its state. Kubelet, containerd and etcd make what is below their own.
_DIRECTORIES = (
    "",
    "cni",
    "containerd",
    "etc",
    "etc/cni",
    "etcd",
    "kubeconfigs",
    "kubelet",
    "logs",
    "pki",
    "plugins",
    "run",
)


class NodePlan:
    """Plain data for filters and modules.

    Args:
        platform: A valid platform whose provider is `node`.
        host: What the module node_info found; None for parts that need no programs.
    """

    def __init__(self, platform: Platform, host: Host | None = None) -> None:
        self._platform = platform
        self._layout = Layout(platform)
        self._host = host

    def needs(self) -> Data:
        """What the module node_info looks for, and where."""
        node = self._platform.cluster.node
        folder = node.programs or (
            f"{self._platform.bundle}/programs" if self._platform.bundle else None
        )
        own = dict.fromkeys((*programs.KUBERNETES, programs.HELM), "")
        return {
            "programs": {**own, **programs.RUNTIME, **programs.KERNEL},
            "plugins": list(programs.PLUGINS),
            "directory": folder,
            "state": self._layout.directory,
            "network": node.network,
            "link": self._layout.link,
            "images": self.images(),
            "kubernetes": self._admitted(),
        }

    def _admitted(self) -> Data:
        chosen = self._platform.train
        admitted = train(chosen).kubernetes
        return {
            "train": chosen,
            "lowest": admitted.lowest,
            "highest": admitted.highest,
            "wanted": self._platform.cluster.node.kubernetes or "",
        }

    def tool(self) -> str:
        """Name of the tool that builds its Kubernetes."""
        built = train(self._platform.train).node_kubernetes
        return built[self._platform.cluster.node.kubernetes or next(iter(built))]

    def directories(self) -> list[Data]:
        """Its folders, closed to everybody else."""
        return [
            {"path": self._layout.path(name) if name else self._layout.directory, "mode": "0700"}
            for name in _DIRECTORIES
        ]

    def authorities(self) -> list[Data]:
        """Its authorities, each with the certificates that it issues."""
        return pki.authorities(self._layout)

    def files(self) -> list[Data]:
        """The files that configure its parts."""
        return list(settings.files(self._layout, self._known()))

    def pod_network(self) -> Data:
        """The configuration of the network plugins, to which a mesh may add itself later."""
        return settings.pod_network(self._layout)

    def machine(self) -> Data:
        """What the module node_machine makes of the kernel's: networks, control groups, limits."""
        node, layout = self._platform.cluster.node, self._layout
        prefix = node.network.rpartition("/")[2]
        return {
            "directory": layout.directory,
            "link": layout.link,
            "machine_address": f"{node.machine_address}/{prefix}",
            "node_address": f"{node.address}/{prefix}",
            "bridge": settings.BRIDGE,
            "bridge_address": f"{layout.pods[1]}/{layout.pods.prefixlen}",
            "services": node.service_network,
            "cgroup": layout.cgroup,
        }

    def images(self) -> str:
        """Folder of the image archives."""
        return f"{self._platform.bundle}/images"

    def runtime(self) -> Data:
        """How containerd is reached."""
        return {"ctr": self._known().programs["ctr"], "socket": self._layout.runtime_socket}

    def servers(self) -> Data:
        """What the module supervisor runs before anything is a client of the API server."""
        wait = programs.wait_for_api(self._layout, self._platform.cluster.ready_timeout)
        return {
            "programs": programs.server_side(self._layout, self._known()),
            "waits": [wait, {"program": "containerd"}],
        }

    def releases(self) -> Data:
        """Which release of Kubernetes comes after which, and the file that keeps that for the next run.

        The API server has written to the store as soon as it is ready, whatever becomes of the others.
        """
        host = self._known()
        now = host.releases[programs.API_SERVER]
        return {
            "before": host.last_releases.get(programs.API_SERVER, ""),
            "now": now,
            "served": self._record({**host.last_releases, programs.API_SERVER: now}),
            "run": self._record(host.releases),
        }

    def _record(self, releases: t.Mapping[str, str]) -> Data:
        content = json.dumps(dict(sorted(releases.items())), indent=2) + "\n"
        return {"path": self._layout.path("kubernetes.json"), "content": content, "mode": "0600"}

    def clients(self) -> Data:
        """What it runs besides."""
        rows = programs.client_side(self._layout, self._known())
        return {"programs": rows, "waits": [{"program": row["name"]} for row in rows]}

    def objects(self) -> list[Data]:
        """What its cluster needs before anything else."""
        return objects.objects(self._layout)

    def pods(self) -> Data:
        """What the module node_pods waits for: that the cluster knows what became of pods while the node was stopped."""
        timeout = self._platform.cluster.ready_timeout
        return {"node": self._layout.name, "timeout": timeout, **self.runtime()}

    def callers(self) -> Data:
        """What the module models_answering asks."""
        return callers.asked(self._layout)

    def kubeconfig(self) -> Data:
        """The administrator's way to the cluster; the key stays in the node's own folder."""
        return settings.kubeconfig(self._layout, "admin")

    def _known(self) -> Host:
        if self._host is None:
            raise ValueError("this part of a node's plan needs what was found on the machine")
        return self._host
