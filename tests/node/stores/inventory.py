# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform of one tenant, whose models come from a store that speaks S3 and from one that speaks HTTPS."""

from __future__ import annotations

import typing as t

OWNER = "tenant-a"
NAMESPACE = "stores"
# The names of the stores' Services.
S3, HTTPS = "store", "files"
HOSTS = tuple(f"{name}.{NAMESPACE}.svc.cluster.local" for name in (S3, HTTPS))
BUCKET, SECRET = "models", "models-reader"
SOURCES: t.Mapping[str, str] = {
    "bucket": f"s3://{BUCKET}/iris",
    "remote": f"https://{HOSTS[1]}/iris.joblib",
}
INSTANCES = [[5.1, 3.5, 1.4, 0.2]]


def variables(authority: str, *models: str) -> dict[str, t.Any]:
    """What differs from inventories/node.

    Args:
        authority: What vouches for the stores, as PEM.
        models: Names of the models, of `SOURCES`.
    """
    resources = {"cpu": "2", "memory": "6Gi", "pods": 6}
    return {
        "platform_cluster": {"store_authorities": authority},
        "tenants": [{"name": OWNER, "models": {"allow": list(models)}, "resources": resources}],
        "models": [_model(name) for name in models],
    }


def _model(name: str) -> dict[str, t.Any]:
    return {
        "name": name,
        "tenant": OWNER,
        "framework": "sklearn",
        "source": SOURCES[name],
        **({"source_secret": SECRET} if SOURCES[name].startswith("s3:") else {}),
        "version": "1",
        "serving": {"resources": {"cpu": "250m", "memory": "1Gi"}},
        "publish": {"apis": ["v1", "v2"], "example": {"instances": INSTANCES}},
    }
