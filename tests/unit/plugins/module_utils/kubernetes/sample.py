# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform on a cluster that uses every setting which changes its objects."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    Platform,
    load,
    to_vars,
)

# Three tenants: one with a fixed and a scaled model in both modes, one open to the outside, one that
# only calls others' models.
FULL: dict[str, Any] = {
    "platform_name": "demo",
    "platform_target": "kubernetes",
    "platform_domain": "inference.example.org",
    "platform_home": "/srv/demo",
    "platform_gateway": {"address": "203.0.113.10", "https_port": 443},
    "platform_cluster": {
        "store_authorities": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    },
    "platform_observability": {"traces": "jaeger"},
    "platform_identity": {
        "issuers": [
            {"name": "builtin"},
            {
                "name": "corp",
                "issuer": "https://idp.example.org",
                "jwks_uri": "https://idp.example.org/keys",
                "audiences": ["inference"],
                "tenant_claim": "org",
            },
        ]
    },
    "tenants": [
        {
            "name": "tenant-a",
            "models": {"allow": ["iris", "tenant-b/chatty", "elsewhere/gpt-mini"]},
            "limits": {
                "requests_per_minute": 600,
                "tokens_per_minute": 60000,
                "tokens_per_month": 20000000,
            },
            "resources": {"cpu": "8", "memory": "16Gi", "gpu": 0, "pods": 20},
            "roles": {
                "admin": ["group:a-admins"],
                "publisher": ["user:ada@example.org", "group:a-writers"],
                "viewer": [],
            },
        },
        {
            "name": "tenant-b",
            "models": {"allow": ["chatty", "wine", "tenant-a/iris"]},
            "resources": {"gpu": 2},
            "isolation": "soft",
        },
        {"name": "tenant-c", "models": {"allow": ["tenant-a/iris"]}},
    ],
    "models": [
        {
            "name": "iris",
            "tenant": "tenant-a",
            "framework": "sklearn",
            "source": "s3://models/iris",
            "source_secret": "models-reader",
            "version": "1",
            "versions": [
                {"version": "2", "source": "s3://models/iris-2"},
                {"version": "3", "source": "s3://models/iris-3"},
            ],
            "serving": {
                "replicas": {"min": 1, "max": 3},
                "resources": {"cpu": "500m", "memory": "1Gi"},
            },
            "traffic": {
                "canary": {"version": "2", "weight": 10, "cohort_header": "x-user-id"},
                "mirror": "3",
            },
        },
        {
            "name": "wine",
            "tenant": "tenant-b",
            "framework": "lightgbm",
            "source": "gs://models/wine",
            "version": "1",
            "versions": [{"version": "2", "source": "gs://models/wine-2"}],
            "serving": {
                "mode": "knative",
                "replicas": {"min": 0, "max": 4},
                "target_concurrency": 8,
                "idle_seconds": 60,
            },
            "traffic": {"canary": {"version": "2", "weight": 25}},
        },
        {
            "name": "chatty",
            "tenant": "tenant-b",
            "framework": "llm",
            "source": "hf://owner/repository@main/model.gguf",
            "serving": {
                "replicas": {"min": 0, "max": 2},
                "idle_seconds": 300,
                "resources": {"cpu": "2", "memory": "4Gi", "gpu": 1},
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


def full() -> Platform:
    """Every setting, with tier 1 run by its controller."""
    return load(FULL)


def pools() -> Platform:
    """A model on llm-d with a canary, beside the others."""
    raw = copy.deepcopy(FULL)
    raw["models"][2] = {
        "name": "chatty",
        "tenant": "tenant-b",
        "framework": "llm",
        "runtime": "llm-d",
        "source": "hf://owner/name",
        "versions": [{"version": "2", "source": "hf://owner/other"}],
        "serving": {"resources": {"cpu": "2", "memory": "4Gi", "gpu": 1}},
        "traffic": {"canary": {"version": "2", "weight": 10}},
    }
    raw["providers"] = []
    raw["tenants"][0]["models"] = {"allow": ["iris", "tenant-b/chatty"]}
    return load(raw)


def small() -> Platform:
    """One tenant and one model on a small machine, with tier 1 in one pod."""
    raw = copy.deepcopy(FULL)
    raw |= {
        "platform_engine": {"gateway": "standalone"},
        "platform_cluster": {"provider": "kind", "service_type": "NodePort"},
        "platform_gateway": {"address": "127.0.0.1", "https_port": 30443},
        "platform_observability": {"prometheus": "disabled"},
        "platform_identity": {"issuers": [{"name": "builtin"}]},
        "tenants": [{"name": "tenant-a", "models": {"allow": ["iris"]}}],
        "models": [
            {
                "name": "iris",
                "tenant": "tenant-a",
                "framework": "sklearn",
                "source": "pvc://models/iris",
            }
        ],
        "providers": [],
    }
    return load(raw)


def node() -> Platform:
    """A node of plain binaries whose one model KEDA scales by what its own Prometheus tells."""
    raw = to_vars(small())
    raw |= {
        "platform_bundle": "/srv/bundle",
        "platform_images": {"registry": "localhost/inferencebox", "source": "built"},
        "platform_cluster": {"provider": "node", "service_type": "NodePort"},
        "platform_gateway": {"address": "10.98.0.2", "https_port": 30443},
        "platform_observability": {"prometheus": "auto"},
    }
    raw["models"][0]["serving"] |= {"replicas": {"min": 0, "max": 2}, "idle_seconds": 60}
    return load(raw)


def traced_node() -> Platform:
    """The same, with Jaeger."""
    raw = to_vars(node())
    raw["platform_observability"] = {"prometheus": "auto", "traces": "jaeger"}
    return load(raw)
