# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform whose objects are given to real controllers: small, and with each way that a model can be served."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

from tests.cluster.certificates import Authority
from tests.cluster.steps import Object

DOMAIN = "inference.example.org"
NAMESPACE = "inferencebox-system"

INVENTORY: dict[str, t.Any] = {
    "platform_name": "proven",
    "platform_target": "kubernetes",
    "platform_domain": DOMAIN,
    # Observability has no controllers here, and KEDA none beside KServe's own autoscaling; all else is built, and some of it of
    # another release than what is published.
    "platform_cluster": {
        "service_type": "NodePort",
        "provided": ["keda", "kube-prometheus-stack", "jaeger", "opentelemetry-collector"],
    },
    "platform_images": {"source": "built", "registry": "localhost/inferencebox"},
    "platform_gateway": {"address": "0.0.0.0", "https_port": 30443},
    "platform_observability": {"traces": "jaeger"},
    "tenants": [
        {
            "name": "tenant-a",
            "models": {"allow": ["iris", "tenant-b/chatty", "elsewhere/gpt-mini"]},
            "limits": {"requests_per_minute": 600, "tokens_per_minute": 60000},
            "resources": {"cpu": "8", "memory": "16Gi", "pods": 12},
            "roles": {"publisher": ["user:ada@example.org"]},
        },
        {
            "name": "tenant-b",
            "models": {"allow": ["chatty", "wine", "forest"]},
            "resources": {"cpu": "16", "memory": "32Gi", "pods": 20},
        },
        {"name": "tenant-c", "models": {"allow": ["tenant-a/iris"]}},
    ],
    "models": [
        {
            "name": "iris",
            "tenant": "tenant-a",
            "framework": "sklearn",
            "source": "s3://models/iris",
            "versions": [
                {"version": "2", "source": "s3://models/iris-2"},
                {"version": "3", "source": "s3://models/iris-3"},
            ],
            "serving": {
                "replicas": {"min": 2, "max": 2},
                "resources": {"cpu": "500m", "memory": "1Gi"},
            },
            "traffic": {
                "canary": {"version": "2", "weight": 25, "cohort_header": "x-user-id"},
                "mirror": "3",
            },
        },
        {
            "name": "wine",
            "tenant": "tenant-b",
            "framework": "lightgbm",
            "source": "gs://models/wine",
            "serving": {
                "replicas": {"min": 1, "max": 3},
                "resources": {"cpu": "500m", "memory": "1Gi"},
            },
        },
        {
            "name": "forest",
            "tenant": "tenant-b",
            "framework": "xgboost",
            "source": "s3://models/forest",
            "versions": [{"version": "2", "source": "s3://models/forest-2"}],
            "serving": {"resources": {"cpu": "500m", "memory": "1Gi"}},
            "traffic": {"canary": {"version": "2", "weight": 30}},
        },
        {
            "name": "chatty",
            "tenant": "tenant-b",
            "framework": "llm",
            "source": "hf://owner/repository@main/model.gguf",
            "serving": {
                "replicas": {"min": 1, "max": 2},
                "target_concurrency": 4,
                "resources": {"cpu": "1", "memory": "2Gi"},
            },
            "transformer": {"image": "registry.example.org/team/transformer:1.0"},
            "fallback": "elsewhere/gpt-mini",
        },
    ],
    "providers": [
        {
            "name": "elsewhere",
            "kind": "openai",
            "secret": "elsewhere-key",
            "models": [{"name": "gpt-mini", "upstream": "gpt-4o-mini"}],
        },
    ],
}


def secrets(directory: Path) -> tuple[Authority, list[Object]]:
    """Make what others bring: a provider's key, and certificates that cert-manager would issue.

    Of these there are the edge's, and those of both ends of the hop between tiers.

    Returns:
        The authority that vouches for all of them, and the Secrets.
    """
    authority = Authority(directory)
    wanted = {
        "tier1-server": (f"gateway.{DOMAIN}",),
        "tier1-client": (f"spiffe://cluster.local/ns/{NAMESPACE}/sa/tier1",),
        "tier2-server": (f"tier2.{NAMESPACE}.svc.cluster.local",),
    }
    made = []
    for name, names in wanted.items():
        certificate, key = authority.issue(name, names=names)
        files = {
            "tls.crt": certificate.read_bytes(),
            "tls.key": key.read_bytes(),
            "ca.crt": authority.certificate.read_bytes(),
        }
        made.append(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/tls",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "data": {name: base64.b64encode(each).decode() for name, each in files.items()},
            }
        )
    made.append(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "elsewhere-key", "namespace": NAMESPACE},
            "stringData": {"apiKey": "of-nobody"},
        }
    )
    return authority, made
