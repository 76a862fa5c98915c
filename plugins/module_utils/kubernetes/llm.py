# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Language models on llm-d: LLMInferenceServices, whose scheduler chooses among replicas in an InferencePool."""

from __future__ import annotations

from ..inventory import Model, Platform
from . import naming, quantities
from .objects import Maker, Object
from .sources import service_account_name, storage_uri


def llm_services(platform: Platform, model: Model) -> list[Object]:
    """Make the LLMInferenceService of a model, and one more for its canary.

    Args:
        platform: The platform.
        model: A model whose runtime is llm-d.

    Returns:
        One or two objects. Both of a pair belong to one routing group, whose weights split the requests.
    """
    canary = model.traffic.canary
    if canary is None:
        return [_service(platform, model, model.name, model.version, {})]
    group = {"group": model.name}
    return [
        _service(
            platform, model, model.name, model.version, {**group, "weight": 100 - canary.weight}
        ),
        _service(
            platform,
            model,
            naming.inference_service(model, naming.CANARY),
            canary.version,
            {**group, "weight": canary.weight},
        ),
    ]


def _service(platform: Platform, model: Model, name: str, version: str, route: Object) -> Object:
    spec: Object = {
        "model": {"uri": storage_uri(model.files_of(version)), "name": model.name},
        "replicas": model.serving.replicas.max,
        "router": {
            # Tier 2 itself, at the listener of this tenant.
            "gateway": {"refs": [{"name": naming.POOLS, "namespace": platform.cluster.namespace}]},
            # KServe adds the rules; without a host, the route would be everybody's.
            "route": {
                **route,
                "http": {"spec": {"hostnames": [naming.model_host(platform, model)]}},
            },
            # Empty means: as KServe's presets say. A scheduler makes the InferencePool.
            "scheduler": {},
        },
        "template": {
            "serviceAccountName": service_account_name(model),
            "containers": [
                {"name": "main", "resources": quantities.resources(model.serving.resources)}
            ],
        },
    }
    return Maker(platform, model.tenant).namespaced(
        "serving.kserve.io/v1alpha2 LLMInferenceService",
        name,
        {"spec": spec},
        model=model.name,
        labels={naming.VERSION_LABEL: version},
    )
