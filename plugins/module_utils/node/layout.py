# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where everything of a node lies on the machine, and its addresses."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from functools import cached_property

from ..catalogue import train
from ..inventory import Platform
from ..kubernetes import images

# Ports of its parts that something outside of them knows.
API_PORT = 6443
KUBELET_PORT = 10250

CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Host:
    """What must be known of the machine.

    Attributes:
        programs: Path of each program by name.
        plugins: Folder of the network plugins.
        stamps: What tells one build of a program from another, by name.
        releases: Release of each of Kubernetes' own programs, such as "v1.2.3", by name.
        last_releases: Those that ran last, the API server's as soon as it was ready; empty before the first run.
        lowers_oom_scores: Whether processes may be made less likely to be ended when memory runs out, which needs
            CAP_SYS_RESOURCE.
    """

    programs: dict[str, str]
    plugins: str
    stamps: dict[str, str]
    releases: dict[str, str]
    last_releases: dict[str, str]
    lowers_oom_scores: bool


@dataclass(frozen=True)
class Layout:
    """Paths, names and addresses of the node of one platform."""

    platform: Platform

    @property
    def directory(self) -> str:
        """Folder of all its state."""
        return self.platform.node_directory

    def path(self, *parts: str) -> str:
        """A path in that folder."""
        return "/".join((self.directory, *parts))

    def certificate(self, name: str) -> str:
        """File of a certificate, or of an authority's."""
        return self.path("pki", f"{name}.crt")

    def key(self, name: str) -> str:
        """File of a certificate's key."""
        return self.path("pki", f"{name}.key")

    def kubeconfig(self, name: str) -> str:
        """File by which a part reaches the API server."""
        return self.path("kubeconfigs", f"{name}.conf")

    @property
    def network_namespace(self) -> str:
        """File that holds the node's network namespace open."""
        return self.path("run", "network")

    @property
    def runtime_socket(self) -> str:
        """Where containerd answers."""
        return self.path("run", "containerd.sock")

    @property
    def name(self) -> str:
        """The node's name in the cluster."""
        return self.platform.name

    def image(self, name: str) -> str:
        """Name under which one of the node's own images is asked for."""
        return images.address(self.platform, train(self.platform.train).node_images[name])

    @property
    def link(self) -> str:
        """The machine's end of the link to the node; the kernel takes 15 characters at most."""
        return "ib-" + hashlib.sha256(self.directory.encode()).hexdigest()[:10]

    @property
    def cgroup(self) -> str:
        """The control group of all pods, without the mount point."""
        return f"/inferencebox-{self.platform.name}"

    @property
    def address(self) -> str:
        """The node's address."""
        return self.platform.cluster.node.address

    @property
    def api(self) -> str:
        """The API server's URL."""
        return f"https://{self.address}:{API_PORT}"

    @cached_property
    def services(self) -> ipaddress.IPv4Network:
        """Addresses of Services."""
        return ipaddress.IPv4Network(self.platform.cluster.node.service_network)

    @cached_property
    def pods(self) -> ipaddress.IPv4Network:
        """Addresses of pods."""
        return ipaddress.IPv4Network(self.platform.cluster.node.pod_network)

    @property
    def api_service(self) -> str:
        """The address at which pods reach the API server."""
        return str(self.services[1])

    @property
    def name_service(self) -> str:
        """The address at which pods reach the name service."""
        return str(self.services[10])
