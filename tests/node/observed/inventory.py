# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform with Prometheus, one model that is always there, and one that KEDA starts when somebody asks for it."""

from __future__ import annotations

import typing as t

OWNER, MODEL = "tenant-a", "iris"
OTHER, STEADY = "tenant-b", "wine"
# How long nobody may have asked before the model's pods go.
IDLE_SECONDS = 20
MOST = 2
NAMESPACE = "inferencebox-system"
PROMETHEUS_PORT, ALERTMANAGER_PORT, STATES_PORT = 9090, 9093, 8080


def _model(name: str, tenant: str, framework: str, **serving: t.Any) -> dict[str, t.Any]:
    return {
        "name": name,
        "tenant": tenant,
        "framework": framework,
        "source": f"python://inferencebox_samples/{name}",
        "version": "1",
        "serving": {"resources": {"cpu": "250m", "memory": "1Gi"}, **serving},
        "publish": {"apis": ["v1", "v2"], "example": {"instances": INSTANCES[name]}},
    }


def _tenant(name: str, model: str, pods: int) -> dict[str, t.Any]:
    resources = {"cpu": "2", "memory": "4Gi", "pods": pods}
    return {"name": name, "models": {"allow": [model]}, "resources": resources}


INSTANCES: t.Mapping[str, list[list[float]]] = {
    MODEL: [[5.1, 3.5, 1.4, 0.2]],
    STEADY: [[14.23, 1.71, 2.43, 15.6, 127.0, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065.0]],
}

VARIABLES: t.Mapping[str, t.Any] = {
    "platform_observability": {"prometheus": "auto"},
    "tenants": [_tenant(OWNER, MODEL, 4), _tenant(OTHER, STEADY, 2)],
    "models": [
        _model(
            MODEL,
            OWNER,
            "sklearn",
            replicas={"min": 0, "max": MOST},
            target_concurrency=1,
            # A pod starts within it on a busy machine, too.
            start_timeout="180s",
            request_timeout="180s",
            idle_seconds=IDLE_SECONDS,
        ),
        _model(STEADY, OTHER, "lightgbm"),
    ],
}
