# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models whose settings KServe, Knative or KEDA accept and do not follow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..objects import Object
from .objects import Finding, Objects, Rule, shown, spec

_MODE = "serving.kserve.io/deploymentMode"
_SCALER = "serving.kserve.io/autoscalerClass"
_WINDOW = "autoscaling.knative.dev/window"
# Knative's bounds of a stable window, in seconds.
_SHORTEST, _LONGEST = 6, 3600


def _annotations(each: Object) -> dict[str, str]:
    return dict(each["metadata"].get("annotations") or {})


def mode_implicit(objects: Objects) -> Iterator[Finding]:
    """The mode's default differs between KServe's code and its chart; without it, scaling is not checked."""
    for service in objects.of("InferenceService"):
        mode = _annotations(service).get(_MODE)
        if mode not in ("Standard", "Knative"):
            reason = "the mode is what the cluster's configuration happens to say"
            if mode is not None:
                reason = f"{mode} is no mode's name any more, and updates of it are refused"
            yield Finding(
                "mode-implicit",
                shown(service),
                f"metadata.annotations[{_MODE}]",
                reason,
                "Write Standard or Knative.",
            )


def canary_ignored(objects: Objects) -> Iterator[Finding]:
    """Each mode has its own way to a canary, and ignores or refuses the other's."""
    for service in objects.of("InferenceService"):
        mode = _annotations(service).get(_MODE)
        for component in ("predictor", "transformer", "explainer"):
            given = spec(service).get(component) or {}
            if "canaryTrafficPercent" in given and mode == "Standard":
                yield Finding(
                    "canary-ignored",
                    shown(service),
                    f"spec.{component}.canaryTrafficPercent",
                    "mode Standard ignores it: the new version gets everything",
                    "Use spec.canary, and split the requests in tier 2.",
                )
        if spec(service).get("canary") and mode == "Knative":
            yield Finding(
                "canary-ignored",
                shown(service),
                "spec.canary",
                "mode Knative has no second predictor",
                "Use canaryTrafficPercent.",
            )
        if spec(service).get("canary") and "transformer" in spec(service):
            yield Finding(
                "canary-ignored",
                shown(service),
                "spec.canary",
                "the transformer calls the stable predictor alone",
                "Leave one of the two out.",
            )


def canary_not_split(objects: Objects) -> Iterator[Finding]:
    """In mode Standard, KServe makes a canary's Service and sends it nothing."""
    destinations = {
        route.get("destination", {}).get("host", "")
        for virtual in objects.of("VirtualService")
        for http in spec(virtual).get("http") or []
        for route in http.get("route") or []
    }
    if not objects.of("VirtualService"):
        return
    for service in objects.of("InferenceService"):
        called, where = service["metadata"]["name"], service["metadata"].get("namespace", "")
        for index, canary in enumerate(spec(service).get("canary") or []):
            host = f"{called}-{canary['predictor'].get('name')}-predictor"
            if not any(d == host or d.startswith(f"{host}.{where}") for d in destinations):
                yield Finding(
                    "canary-not-split",
                    shown(service),
                    f"spec.canary[{index}].trafficPercent",
                    f"no VirtualService sends anything to {host}, and KServe does not either",
                    "Give it a weight in tier 2.",
                )


def scaling_ignored(objects: Objects) -> Iterator[Finding]:
    """What scales must be able to do what is asked of it."""
    for service in objects.of("InferenceService"):
        annotations, predictor = _annotations(service), spec(service).get("predictor") or {}
        mode, scaler = annotations.get(_MODE), annotations.get(_SCALER)
        if mode == "Knative" and scaler is not None:
            yield _scaling(service, _SCALER, "Knative scales by itself", "Leave it out.")
        if mode == "Standard" and scaler in (None, "hpa") and predictor.get("minReplicas") == 0:
            yield Finding(
                "scaling-ignored",
                shown(service),
                "spec.predictor.minReplicas",
                "a HorizontalPodAutoscaler raises 0 to 1",
                "Use KEDA or mode Knative.",
            )
        if scaler == "keda" and not predictor.get("autoScaling", {}).get("metrics"):
            yield _scaling(
                service,
                _SCALER,
                "KEDA has no trigger, and its ScaledObject is refused",
                "Add metrics.",
            )
        if scaler == "external" and not _scaled(objects, service):
            yield _scaling(
                service, _SCALER, "nothing else scales it", "Add the ScaledObject, or use none."
            )
        window = (predictor.get("annotations") or {}).get(_WINDOW, "60s")
        seconds = re.fullmatch(r"(\d+)s", window)
        if seconds and not _SHORTEST <= int(seconds[1]) <= _LONGEST:
            yield Finding(
                "scaling-ignored",
                shown(service),
                f"spec.predictor.annotations[{_WINDOW}]",
                "Knative admits 6 seconds to 1 hour, and makes no revision otherwise",
                "Use a value within.",
            )


def _scaling(service: Object, annotation: str, reason: str, remedy: str) -> Finding:
    return Finding(
        "scaling-ignored", shown(service), f"metadata.annotations[{annotation}]", reason, remedy
    )


def _scaled(objects: Objects, service: Object) -> bool:
    wanted = f"{service['metadata']['name']}-predictor"
    return any(
        each["metadata"].get("namespace") == service["metadata"].get("namespace")
        and spec(each).get("scaleTargetRef", {}).get("name") == wanted
        for each in objects.of("ScaledObject", "HorizontalPodAutoscaler")
    )


def runtime_without_object(objects: Objects) -> Iterator[Finding]:
    """Runtimes of ours must be in the model's namespace; KServe's own are the cluster's."""
    known = {each["metadata"]["name"] for each in objects.of("ClusterServingRuntime")}
    for service in objects.of("InferenceService"):
        where = service["metadata"].get("namespace", "")
        runtime = (spec(service).get("predictor") or {}).get("model", {}).get("runtime", "")
        ours = runtime.startswith("inferencebox-")
        if ours and runtime not in known and not objects.has("ServingRuntime", where, runtime):
            yield Finding(
                "runtime-without-object",
                shown(service),
                "spec.predictor.model.runtime",
                f"there is no ServingRuntime {where}/{runtime}",
                "Add it to the model's namespace.",
            )


RULES: tuple[Rule, ...] = (
    mode_implicit,
    canary_ignored,
    canary_not_split,
    scaling_ignored,
    runtime_without_object,
)
