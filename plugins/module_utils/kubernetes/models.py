# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models as KServe serves them: InferenceServices and what belongs to each.

The mode is always written down, and so is what scales: KServe's defaults differ between its code and its
chart, and its webhook checks an autoscaler's settings only where the mode is named. Canaries go by the mode's
own means: ``spec.canary`` in mode standard, where KServe makes the second Deployment and tier 2 splits the
requests; ``canaryTrafficPercent`` in mode knative, where Knative's routes split them.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..inventory import Model, Platform
from ..serving.upstreams import CLUSTER_RUNTIMES, LLAMACPP, LLM_D, PREDICTIVE
from . import naming, quantities
from .llm import llm_services
from .objects import Maker, Object
from .runtimes import (
    CONTAINER_SECURITY,
    HTTP_PORT,
    POD_SECURITY,
    readiness,
    runtime_of,
    serving_runtimes,
    storage_containers,
)
from .scaling import component_scaling, scaled_object
from .sources import (
    artifact_path,
    service_account,
    service_account_name,
    storage_uri,
    store_authorities,
)

_DIGEST_CHARACTERS = 16


def objects(platform: Platform) -> list[Object]:
    """Everything that KServe needs to serve the platform's models, in dependency order."""
    result = [
        *store_authorities(platform),
        *storage_containers(platform),
        *serving_runtimes(platform),
    ]
    for model in platform.models:
        if (account := service_account(platform, model)) is not None:
            result.append(account)
        result += _served(platform, model)
        if (scaled := scaled_object(platform, model)) is not None:
            result.append(scaled)
        if model.serving.replicas.min > 1:
            result.append(_disruption_budget(platform, model))
    return result


def _served(platform: Platform, model: Model) -> t.Iterator[Object]:
    if runtime_of(model).name == LLM_D:
        yield from llm_services(platform, model)
        return
    knative = model.serving.mode == "knative"
    canary = model.traffic.canary
    # Knative serves the revision made last beside the one before it: what is on trial is what is written.
    version = canary.version if canary and knative else model.version
    spec: Object = {"predictor": _predictor(platform, model, version)}
    if canary and knative:
        spec["predictor"]["canaryTrafficPercent"] = canary.weight
    elif canary:
        spec["canary"] = [
            {
                "predictor": _canary(platform, model, canary.version),
                "trafficPercent": canary.weight,
            }
        ]
    transformer = {"transformer": _transformer(model)} if model.transformer else {}
    name = naming.inference_service(model)
    yield _inference_service(platform, model, name, version, {**spec, **transformer})
    if (mirror := model.traffic.mirror) is not None:
        name = naming.inference_service(model, naming.MIRROR)
        spec = {"predictor": _predictor(platform, model, mirror), **transformer}
        yield _inference_service(platform, model, name, mirror, spec)


def _canary(platform: Platform, model: Model, version: str) -> Object:
    predictor = _predictor(platform, model, version, scales=False)
    # Nowhere else may a model's container be named; here, KServe's CustomResourceDefinition demands it.
    predictor["model"]["name"] = "kserve-container"
    return {"name": naming.CANARY, **predictor}


def _inference_service(
    platform: Platform, model: Model, name: str, version: str, spec: Object
) -> Object:
    annotations = {
        "serving.kserve.io/deploymentMode": "Knative"
        if model.serving.mode == "knative"
        else "Standard"
    }
    labels = {naming.VERSION_LABEL: version}
    if model.serving.mode == "knative":
        # Tier 2 is the only way in; Knative gives no host outside the cluster.
        labels["networking.knative.dev/visibility"] = "cluster-local"
    else:
        annotations["serving.kserve.io/autoscalerClass"] = {"hpa": "hpa", "keda": "external"}.get(
            model.serving.scaled_by, "none"
        )
        labels |= naming.UNROUTED_LABEL
    return Maker(platform, model.tenant).namespaced(
        "serving.kserve.io/v1beta1 InferenceService",
        name,
        {"spec": spec},
        model=model.name,
        labels=labels,
        annotations=annotations,
    )


def _predictor(platform: Platform, model: Model, version: str, *, scales: bool = True) -> Object:
    served = {**_component(model, service_account_name(model)), "model": _model(model, version)}
    scaling = component_scaling(platform, model, scales=scales)
    # A Deployment stays the same whatever scales it; Knative makes a new revision of each change, a label's too.
    knative = model.serving.mode == "knative"
    made_of = {**served, **scaling, "version": version} if knative else served
    annotations = {**scaling.get("annotations", {}), **_digest(made_of)}
    return {**served, "annotations": {}, **scaling} | {"annotations": annotations}


def _digest(made_of: Object) -> dict[str, str]:
    """By what is known what KServe makes of a component: a Deployment, or a revision of Knative's."""
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return {naming.DIGEST_ANNOTATION: digest[:_DIGEST_CHARACTERS]}


def _component(model: Model, service_account: str) -> Object:
    """What predictor and transformer share: who it runs as, how long it may take."""
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "securityContext": dict(POD_SECURITY),
        "timeout": max(1, round(model.serving.request_timeout_seconds)),
    }


def _model(model: Model, version: str) -> Object:
    runtime = runtime_of(model)
    both = {"v1", "v2"} <= set(runtime.prefixes)
    model_format: Object = {"name": runtime.model_format}
    if runtime.format_version:
        model_format["version"] = runtime.format_version
    result: Object = {
        "modelFormat": model_format,
        "runtime": runtime.name,
        # Of a runtime that speaks both, either serves both.
        "protocolVersion": "v2" if "v2" in runtime.prefixes and not both else "v1",
        "storageUri": storage_uri(model.files_of(version)),
        "resources": quantities.resources(model.serving.resources),
        "securityContext": dict(CONTAINER_SECURITY),
    }
    if arguments := _arguments(model, version):
        result["args"] = arguments
    if version == model.traffic.mirror and runtime.name in (LLAMACPP, PREDICTIVE):
        # As with the name below: the runtime's probe asks for the InferenceService's.
        result["readinessProbe"] = readiness(runtime, model.name)
    if model.serving.mode == "standard" and runtime.name in CLUSTER_RUNTIMES:
        # KServe's own runtimes do not name their port. The Service's takes the container's name, and by it the
        # mesh knows that it carries HTTP; it would have to guess, and rules about requests would not hold.
        result["ports"] = [{"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"}]
    elif model.serving.mode == "knative" and runtime.name in (LLAMACPP, PREDICTIVE):
        # Knative refuses the name that these runtimes give it for mode standard.
        # https://github.com/knative/specs, specs/serving/runtime-contract.md: protocols and ports
        result["ports"] = [{"name": "http1", "containerPort": HTTP_PORT, "protocol": "TCP"}]
    return result


# How each server is told the name that callers use. KServe's runtimes fill in the InferenceService's own, which
# for a mirror is another; of an argument given twice, the last counts.
_NAME_FLAGS = {
    "kserve-sklearnserver": "--model_name",
    "kserve-xgbserver": "--model_name",
    "kserve-lgbserver": "--model_name",
    "kserve-huggingfaceserver": "--model_name",
    "kserve-tensorflow-serving": "--model_name",
    "kserve-vllmserver": "--served-model-name",
    LLAMACPP: "--name",
    PREDICTIVE: "--name",
}


def _arguments(model: Model, version: str) -> list[str]:
    name = runtime_of(model).name
    arguments = []
    if version == model.traffic.mirror and name in _NAME_FLAGS:
        arguments.append(f"{_NAME_FLAGS[name]}={model.name}")
    if name == "kserve-huggingfaceserver" and set(model.publish.apis) == {"embeddings"}:
        arguments.append("--task=text_embedding")
    if name in (LLAMACPP, PREDICTIVE):
        arguments += [
            f"--artifact={artifact_path(model.files_of(version))}",
            f"--framework={model.framework}",
            f"--tenant={model.tenant}",
            f"--version={version}",
            f"--apis={','.join(model.publish.apis)}",
            f"--threads={max(1, int(model.serving.resources.cpu))}",
            f"--request-timeout={quantities.duration(model.serving.request_timeout_seconds)}",
        ]
    return arguments


def _transformer(model: Model) -> Object:
    given = model.transformer
    assert given is not None
    container: Object = {
        "name": "kserve-container",
        "image": given.image,
        "ports": [{"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"}],
        "resources": quantities.resources(given.resources),
        "securityContext": dict(CONTAINER_SECURITY),
    }
    if given.args:
        container["args"] = list(given.args)
    served = {**_component(model, naming.TRANSFORMERS), "containers": [container]}
    # As many as there are predictors at least: it must not be the narrow place.
    return {
        **served,
        "annotations": _digest(served),
        "minReplicas": model.serving.replicas.min,
        "maxReplicas": model.serving.replicas.max,
    }


def _disruption_budget(platform: Platform, model: Model) -> Object:
    selector = {"matchLabels": {"serving.kserve.io/inferenceservice": model.name}}
    return Maker(platform, model.tenant).namespaced(
        "policy/v1 PodDisruptionBudget",
        naming.of_model(model),
        {"spec": {"maxUnavailable": 1, "selector": selector}},
        model=model.name,
    )
