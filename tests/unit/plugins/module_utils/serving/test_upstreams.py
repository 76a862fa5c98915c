# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of upstreams, row by row, for the model `iris` of `tenant-a`."""

from __future__ import annotations

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.serving.upstreams import (
    CLUSTER_RUNTIMES,
    Upstream,
    cluster_runtime,
    upstream,
)

SERVICE = "iris-predictor.tenant-a.svc.cluster.local"
LOCAL_GATEWAY = "knative-local-gateway.istio-system.svc.cluster.local"
READY = "/v2/models/iris/ready"
V1, V2, OPENAI, KSERVE_OPENAI = "/v1/models", "/v2/models", "/v1", "/openai/v1"
LANGUAGE = ("chat", "completions", "embeddings", "responses", "messages")

# runtime: (health path, {api: (schema, prefix)})
ROWS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "kserve-sklearnserver": (READY, {"v1": ("", V1), "v2": ("", V2)}),
    "kserve-xgbserver": (READY, {"v1": ("", V1), "v2": ("", V2)}),
    "kserve-lgbserver": (READY, {"v1": ("", V1), "v2": ("", V2)}),
    "kserve-torchserve": ("/v1/models/iris", {"v1": ("", V1), "v2": ("", V2)}),
    "kserve-tensorflow-serving": ("/v1/models/iris", {"v1": ("", V1)}),
    "kserve-tritonserver": (READY, {"v2": ("", V2)}),
    "kserve-huggingfaceserver": (
        READY,
        {
            "v1": ("", V1),
            "v2": ("", V2),
            **dict.fromkeys(LANGUAGE, ("OpenAI", KSERVE_OPENAI)),
        },
    ),
    "kserve-vllmserver": ("/health", dict.fromkeys(LANGUAGE, ("OpenAI", OPENAI))),
    "inferencebox-llamacpp": ("/health", dict.fromkeys(LANGUAGE, ("OpenAI", OPENAI))),
    "inferencebox-predictive": (READY, {"v1": ("", V1), "v2": ("", V2)}),
    "llm-d": ("/health", dict.fromkeys(LANGUAGE, ("OpenAI", "/tenant-a/iris/v1"))),
}
# mode: (host, Host header); where a runtime goes another way, with its name.
HOSTS = {
    "standard": (SERVICE, SERVICE),
    "knative": (LOCAL_GATEWAY, SERVICE),
}


def test_every_runtime_has_its_rows() -> None:
    assert set(ROWS) == set(CLUSTER_RUNTIMES)


@pytest.mark.parametrize("mode", HOSTS)
@pytest.mark.parametrize(
    ("runtime", "api"), [(name, api) for name, (_, apis) in ROWS.items() for api in apis]
)
def test_row(runtime: str, api: str, mode: str) -> None:
    health_path, apis = ROWS[runtime]
    pool = ("iris-inference-pool", "", 8000)
    host, header, port = pool if runtime == "llm-d" else (*HOSTS[mode], 80)
    assert upstream(CLUSTER_RUNTIMES[runtime], mode, api, "iris", "tenant-a") == Upstream(  # type: ignore[arg-type]
        *apis[api], host, header, port, health_path
    )


@pytest.mark.parametrize(("runtime", "apis"), [(name, apis) for name, (_, apis) in ROWS.items()])
def test_a_runtime_serves_nothing_else(runtime: str, apis: dict[str, tuple[str, str]]) -> None:
    assert set(CLUSTER_RUNTIMES[runtime].prefixes) == set(apis)


@pytest.mark.parametrize(
    ("framework", "apis", "expected"),
    [
        ("sklearn", ("v1", "v2"), "kserve-sklearnserver"),
        ("xgboost", ("v1",), "kserve-xgbserver"),
        ("lightgbm", ("v2",), "kserve-lgbserver"),
        ("pytorch", ("v1", "v2"), "kserve-torchserve"),
        ("tensorflow", ("v1",), "kserve-tensorflow-serving"),
        ("tensorflow", ("v2",), "kserve-tritonserver"),
        ("onnx", ("v2",), "kserve-tritonserver"),
        ("huggingface", ("chat", "v2"), "kserve-huggingfaceserver"),
        ("llm", ("chat",), "inferencebox-llamacpp"),
    ],
)
def test_a_framework_has_a_runtime(framework: str, apis: tuple[str, ...], expected: str) -> None:
    assert cluster_runtime(framework, apis=apis).name == expected


@pytest.mark.parametrize(
    ("framework", "runtime", "model_format", "version"),
    [
        ("sklearn", "kserve-mlserver", "sklearn", "1"),
        ("llm", "kserve-vllmserver", "vLLM", "1"),
        ("tensorflow", "kserve-tritonserver", "tensorflow", "2"),
        ("pytorch", "kserve-tritonserver", "pytorch", "1"),
        ("custom", "my-runtime", "custom", ""),
    ],
)
def test_a_named_runtime_serves_the_models_format(
    framework: str, runtime: str, model_format: str, version: str
) -> None:
    chosen = cluster_runtime(framework, runtime)
    assert (chosen.name, chosen.model_format, chosen.format_version) == (
        runtime,
        model_format,
        version,
    )


def test_a_framework_without_runtime_needs_one() -> None:
    with pytest.raises(KeyError):
        cluster_runtime("custom")
