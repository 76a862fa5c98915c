# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the number of a model's replicas follows what is asked of it.

Fixed, by processor use (a HorizontalPodAutoscaler that KServe makes), by requests at once down to zero (a KEDA
ScaledObject), or by Knative. The ScaledObject is ours and the InferenceService says `external`: the one that
KServe makes has no cooldown, so that `idle_seconds` would be lost, and the API server refuses it without
triggers.
"""

from __future__ import annotations

from ..inventory import Model, Platform
from ..inventory.names import NAMESPACES
from . import naming
from .objects import Maker, Object
from .quantities import duration

# The Service that the Prometheus operator makes beside each Prometheus.
_PROMETHEUS = f"http://prometheus-operated.{NAMESPACES['monitoring']}.svc.cluster.local:9090"

# Processor use in percent of what was asked, at which there should be one replica more.
_CPU_PERCENT = 80

# Requests at once for one replica where nothing is said: Knative's own default is 100, far beyond what a
# model server answers in parallel.
_CONCURRENCY = 8

# Knative admits stable windows from 6 seconds to 1 hour.
_WINDOW_SECONDS = (6, 3600)


def component_scaling(platform: Platform, model: Model, *, scales: bool = True) -> Object:
    """Say how a predictor scales.

    Args:
        platform: The platform.
        model: The model.
        scales: False for a canary in mode standard, whose replicas KServe reckons from its share.

    Returns:
        Fields of an InferenceService's component.
    """
    replicas, serving = model.serving.replicas, model.serving
    if not scales:
        return {}
    fields: Object = {"minReplicas": replicas.min, "maxReplicas": replicas.max}
    if serving.scaled_by == "hpa":
        fields |= {"scaleMetric": "cpu", "scaleTarget": _CPU_PERCENT}
    elif serving.scaled_by == "knative":
        fields |= {
            "scaleMetric": "concurrency",
            "scaleTarget": serving.target_concurrency or _CONCURRENCY,
            "annotations": _knative_annotations(platform, model),
        }
    return fields


def _knative_annotations(platform: Platform, model: Model) -> dict[str, str]:
    annotations = {
        "serving.knative.dev/progress-deadline": duration(model.serving.start_timeout_seconds)
    }
    if model.serving.idle_seconds is not None:
        low, high = _WINDOW_SECONDS
        seconds = min(max(model.serving.idle_seconds, low), high)
        annotations["autoscaling.knative.dev/window"] = f"{seconds}s"
    if platform.tenant(model.tenant).isolation == "hard":
        # Out of the way once there is a replica: behind the activator, everybody has the activator's identity.
        annotations["autoscaling.knative.dev/target-burst-capacity"] = "0"
    return annotations


def scaled_object(platform: Platform, model: Model) -> Object | None:
    """Make the ScaledObject of a model that KEDA scales; None for any other."""
    if model.serving.scaled_by != "keda":
        return None
    service = f"{naming.model_service(model)}.{model.tenant}.svc.cluster.local"
    # Seconds of requests in each second are requests at once. Tier 2 reports them, also for a model with
    # no replica: an answer of 503 takes time too, and any time at all wakes the model.
    query = (
        "sum(rate(istio_request_duration_milliseconds_sum"
        f'{{reporter="source",destination_service="{service}"}}[1m])) / 1000'
    )
    spec: Object = {
        "scaleTargetRef": {"name": f"{model.name}-predictor"},
        "minReplicaCount": model.serving.replicas.min,
        "maxReplicaCount": model.serving.replicas.max,
        "pollingInterval": 5,
        "triggers": [
            {
                "type": "prometheus",
                "metadata": {
                    "serverAddress": _PROMETHEUS,
                    "query": query,
                    "threshold": str(model.serving.target_concurrency or _CONCURRENCY),
                    "activationThreshold": "0",
                },
            }
        ],
    }
    if model.serving.idle_seconds is not None:
        spec["cooldownPeriod"] = model.serving.idle_seconds
    return Maker(platform, model.tenant).namespaced(
        "keda.sh/v1alpha1 ScaledObject", naming.of_model(model), {"spec": spec}, model=model.name
    )
