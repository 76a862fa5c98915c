# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node of plain binaries asks of an inventory."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator

from ..catalogue import TRAINS
from ..errors import Problem
from .draft import Check, Draft
from .platform import Node, Platform

_PATH = "platform_cluster.node"
# Where sources lie that are never in the cluster, by scheme.
_OUTSIDE = {"hf": "hub", "gs": "cloud's store", "oci": "registry"}

# Fewest and most bits of a prefix: two hosts; all pods of one node, which gets a /24; what the API server
# takes as --service-cluster-ip-range, with room for the tenth address.
_NETWORKS = {"network": (8, 30), "pod_network": (8, 24), "service_network": (12, 28)}


def _only_with_its_provider(draft: Draft) -> Iterator[Problem]:
    cluster = draft.platform.cluster
    if draft.target == "kubernetes" and cluster.provider != "node" and cluster.node != Node():
        yield Problem(
            _PATH,
            None,
            f"does not go with provider {cluster.provider}",
            "Leave it out, or use provider node.",
        )


def _without_a_network(draft: Draft) -> Iterator[Problem]:
    if not _is_node(draft):
        return
    if draft.platform.cluster.service_type == "LoadBalancer":
        yield Problem(
            "platform_cluster.service_type",
            "LoadBalancer",
            "gets no address on a node of plain binaries",
            "Use NodePort.",
        )
    if draft.platform.bundle is None:
        yield Problem(
            "platform_bundle",
            None,
            "is missing",
            "Add it: a node of plain binaries reaches no registry, its images lie in the bundle.",
        )


def _networks(draft: Draft) -> Iterator[Problem]:
    if not _is_node(draft):
        return
    known = {}
    for key, (shortest, longest) in _NETWORKS.items():
        value = getattr(draft.platform.cluster.node, key)
        try:
            known[key] = ipaddress.IPv4Network(value)
        except ValueError:
            continue  # said by the key's own rule
        if not shortest <= known[key].prefixlen <= longest:
            yield Problem(
                f"{_PATH}.{key}",
                value,
                "has too many or too few addresses",
                f"Use a prefix of {shortest} to {longest} bits.",
            )
    for (one, first), (other, second) in itertools.combinations(known.items(), 2):
        if first.overlaps(second):
            yield Problem(
                f"{_PATH}.{other}",
                str(second),
                f"overlaps with {one}",
                "Use networks that have no address in common.",
            )


def _out_of_reach(draft: Draft) -> Iterator[Problem]:
    """Pods of a node reach what is in its cluster, and nothing else."""
    if not _is_node(draft):
        return
    for path, source in _sources(draft.platform):
        scheme = source.partition("://")[0]
        if scheme in _OUTSIDE:
            yield Problem(
                path,
                source,
                f"lies outside: pods of a node of plain binaries reach no {_OUTSIDE[scheme]}",
                "Use python:// or pvc://, or s3:// or https:// of a store in the cluster.",
            )


def _sources(platform: Platform) -> Iterator[tuple[str, str]]:
    for index, model in enumerate(platform.models):
        yield f"models[{index}].source", model.source
        for place, other in enumerate(model.versions):
            yield f"models[{index}].versions[{place}].source", other.source


def _release(draft: Draft) -> Iterator[Problem]:
    wanted = draft.platform.cluster.node.kubernetes
    chosen = TRAINS.get(draft.platform.train)
    if not _is_node(draft) or wanted is None or chosen is None:
        return
    if draft.platform.cluster.node.programs is None:
        known, remedy = list(chosen.node_kubernetes), "are built"
    else:
        known, remedy = chosen.kubernetes.minors, "are those of the train"
    if wanted not in known:
        yield Problem(
            f"{_PATH}.kubernetes",
            wanted,
            "is not a minor release of Kubernetes for a node",
            f"Use one of these, which {remedy}: {', '.join(known)}.",
        )


def _untraced(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if (
        _is_node(draft)
        and platform.observability.traces != "disabled"
        and platform.engine.gateway == "controller"
    ):
        yield Problem(
            "platform_observability.traces",
            platform.observability.traces,
            "takes spans by identities of the mesh, which a tier 1 run by a controller does not have",
            "Use disabled, or platform_engine.gateway: standalone.",
        )


def _is_node(draft: Draft) -> bool:
    return draft.target == "kubernetes" and draft.platform.cluster.provider == "node"


NODE_CHECKS: tuple[Check, ...] = (
    _only_with_its_provider,
    _without_a_network,
    _networks,
    _out_of_reach,
    _release,
    _untraced,
)
