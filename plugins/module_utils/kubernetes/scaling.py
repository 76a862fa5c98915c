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
from . import naming
from .objects import Maker, Object
from .quantities import duration

# Over how much time requests are reckoned; a few readings of tier 2's figures must be in it.
_RECKONED_SECONDS = 60

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
    spec: Object = {
        "scaleTargetRef": {"name": f"{model.name}-predictor"},
        "minReplicaCount": model.serving.replicas.min,
        "maxReplicaCount": model.serving.replicas.max,
        "pollingInterval": 5,
        "triggers": [
            {
                "type": "prometheus",
                "metadata": {
                    "serverAddress": f"http://{naming.PROMETHEUS_HOST}:{naming.PROMETHEUS_PORT}",
                    "query": _requests_at_once(platform, model),
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


def _requests_at_once(platform: Platform, model: Model) -> str:
    """Write in PromQL how many requests for a model there are at once.

    Seconds of requests in each second are requests at once. Those that met no replica took none: they are counted, and
    any of them wakes the model. Tier 2 has both figures, whether there is a replica or not. It begins to tell one with the
    first request that it is about, which `rate` would not see: hence the difference, from nothing where there was none.

    https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
    """
    labels = (
        f'job="{platform.cluster.namespace}/{naming.TIER2}", '
        f'cluster_name="outbound|{naming.SERVICE_PORT}||{naming.service_host(model)}"'
    )
    taken = f"envoy_cluster_upstream_rq_time_sum{{{labels}}}"
    unmet = f"envoy_cluster_upstream_cx_none_healthy{{{labels}}}"
    at_once = f"(sum(rate({taken}[{_RECKONED_SECONDS}s])) or vector(0)) / 1000"
    before = f"({unmet} offset {_RECKONED_SECONDS}s or {unmet} * 0)"
    # Of a proxy that was started anew, less than before.
    waiting = f"(sum(clamp_min({unmet} - {before}, 0)) or vector(0))"
    return f"{at_once} + {waiting} / {_RECKONED_SECONDS}"
