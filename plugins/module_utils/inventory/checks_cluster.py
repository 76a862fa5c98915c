# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster asks of an inventory beyond its own rules. Nothing is said for other targets."""

from __future__ import annotations

from collections.abc import Iterator

from ..catalogue import TRAINS
from ..errors import Problem
from .draft import Check, Draft
from .names import is_system_namespace

# RFC 1035: a host name. Before the domain stand the names of a model and a tenant, 40 characters each.
_HOST_CHARACTERS = 253
_LONGEST_HOST = 82

# How the Services of a model's canary and mirror end, before what KServe adds.
_VARIANTS = ("-canary", "-mirror")

# Ports of a NodePort Service: the API server's default for --service-node-port-range.
_NODE_PORTS = (30000, 32767)


def _names_in_the_cluster(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if draft.target != "kubernetes":
        return
    own = platform.cluster.namespace
    places = [("platform_cluster.namespace", own)]
    places += [(f"tenants[{n}].name", tenant.name) for n, tenant in enumerate(platform.tenants)]
    for path, name in places:
        if is_system_namespace(name):
            yield Problem(
                path, name, "is a namespace of the cluster's own components", "Use another name."
            )
        elif name == own and path != places[0][0]:
            yield Problem(path, name, "is the platform's own namespace", "Use another name.")
    if len(platform.domain) > (spare := _HOST_CHARACTERS - _LONGEST_HOST):
        yield Problem(
            "platform_domain",
            platform.domain,
            f"makes the hosts of models longer than {_HOST_CHARACTERS} characters",
            f"Use at most {spare} characters.",
        )
    for index, model in enumerate(platform.models):
        if model.name.endswith(_VARIANTS):
            yield Problem(
                f"models[{index}].name",
                model.name,
                f"ends in {' or '.join(_VARIANTS)}, which names another model's canary or mirror",
                "Use another name.",
            )


def _edge_port(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    low, high = _NODE_PORTS
    port = platform.gateway.https_port
    if (
        draft.target == "kubernetes"
        and platform.cluster.service_type == "NodePort"
        and not low <= port <= high
    ):
        yield Problem(
            "platform_gateway.https_port",
            port,
            "is no port that a node of a cluster can open",
            f"Use {low} to {high}, or another platform_cluster.service_type.",
        )


def _scaling(draft: Draft) -> Iterator[Problem]:
    """What neither Knative nor an autoscaler of mode `standard` can do."""
    if draft.target != "kubernetes":
        return
    for index, model in enumerate(draft.platform.models):
        serving, path = model.serving, f"models[{index}].serving"
        if serving.mode == "knative" and serving.autoscaler is not None:
            yield Problem(
                f"{path}.autoscaler",
                serving.autoscaler,
                "does not go with mode knative, which scales by itself",
                "Leave it out.",
            )
        elif serving.mode == "standard" and serving.autoscaler == "hpa" and serving.needs_keda:
            yield Problem(
                f"{path}.autoscaler",
                "hpa",
                "goes by processor use alone, and never below 1",
                "Use keda, or leave out idle_seconds and target_concurrency and use min 1.",
            )
        elif serving.scaled_by == "keda" and draft.platform.observability.prometheus == "disabled":
            yield Problem(
                f"{path}.replicas",
                f"{serving.replicas.min} to {serving.replicas.max}",
                "follow what Prometheus tells, and platform_observability.prometheus is disabled",
                "Use auto there, mode knative, or the same min and max.",
            )
        elif serving.scaled_by == "none":
            for key in ("autoscaler", "target_concurrency", "idle_seconds"):
                if getattr(serving, key) is not None:
                    yield Problem(
                        f"{path}.{key}",
                        getattr(serving, key),
                        "says how to scale, but min and max are the same",
                        "Leave it out, or raise max.",
                    )


def _splitting(draft: Draft) -> Iterator[Problem]:
    """What Knative's own routes cannot do, and what a mode cannot do without a runtime."""
    if draft.target != "kubernetes":
        return
    for index, model in enumerate(draft.platform.models):
        path = f"models[{index}]"
        if model.framework == "custom" and model.runtime is None:
            yield Problem(
                f"{path}.runtime", None, "is missing", "Add it: the runtime that serves it."
            )
        canary = model.traffic.canary
        if canary and model.transformer and model.serving.mode == "standard":
            yield Problem(
                f"{path}.traffic.canary",
                canary.version,
                "does not go with a transformer in mode standard, which knows one version only",
                "Leave one of the two out.",
            )
        if model.serving.mode != "knative":
            continue
        if model.transformer is not None:
            yield Problem(
                f"{path}.transformer",
                model.transformer.image,
                "does not go with mode knative: it calls its model through a gateway that all share",
                "Leave it out, or use mode standard.",
            )
        if canary and canary.cohort_header:
            yield Problem(
                f"{path}.traffic.canary.cohort_header",
                canary.cohort_header,
                "does not go with mode knative, which splits by share alone",
                "Leave it out, or use mode standard.",
            )
        if model.traffic.mirror is not None:
            yield Problem(
                f"{path}.traffic.mirror",
                model.traffic.mirror,
                "does not go with mode knative, whose routes copy nothing",
                "Leave it out, or use mode standard.",
            )


def _provided(draft: Draft) -> Iterator[Problem]:
    """Components that are said to be there must be ones that the train knows."""
    if draft.target != "kubernetes":
        return
    known = TRAINS[draft.platform.train].components
    for index, name in enumerate(draft.platform.cluster.provided):
        if name not in known:
            yield Problem(
                f"platform_cluster.provided[{index}]",
                name,
                "is no component of the release train",
                f"Use one of {', '.join(known)}.",
            )


def _stores_of_others(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    given = platform.cluster.store_authorities
    if given is not None and draft.target == "kubernetes" and "kserve" in platform.cluster.provided:
        yield Problem(
            "platform_cluster.store_authorities",
            "certificates",
            "is for a KServe that the platform installs",
            "Leave it out, and give the KServe that is provided a caBundleConfigMapName.",
        )


CLUSTER_CHECKS: tuple[Check, ...] = (
    _names_in_the_cluster,
    _edge_port,
    _scaling,
    _splitting,
    _provided,
    _stores_of_others,
)
