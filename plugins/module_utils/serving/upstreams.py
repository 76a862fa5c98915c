# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a model server of a cluster is reached, and in which words: (runtime, mode, api) to an upstream.

What differs between runtimes is the protocol, the path before the operations and the health path; what
differs between modes is the Service that a request is sent to and the Host that it must carry. Nobody
else writes these down: tier 1 takes schema and prefix from here, tier 2 host, Host header and port, a
runtime's probes its health path.

Sources: KServe 0.20 `config/runtimes`, `python/kserve/kserve/protocol/rest/openai/endpoints.py` (prefix
`/openai`), `config/llmisvcconfig/config-llm-router-route.yaml` (`/<namespace>/<name>/v1`); Knative's local
gateway as `config-istio` of net-istio names it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

Mode = t.Literal["standard", "knative"]

OPENAI_APIS = ("chat", "completions", "embeddings", "responses", "messages")
KSERVE_APIS = ("v1", "v2")

# Where net-istio makes revisions reachable for those inside the mesh.
KNATIVE_LOCAL_GATEWAY = "knative-local-gateway.istio-system.svc.cluster.local"

# Runtimes that the platform brings itself; the others come with KServe.
LLAMACPP = "inferencebox-llamacpp"
PREDICTIVE = "inferencebox-predictive"
# Asks for a LLMInferenceService instead of an InferenceService.
LLM_D = "llm-d"


@dataclass(frozen=True)
class Upstream:
    """Where one API of one model is, seen from tier 2.

    Attributes:
        schema: The API's schema in the words of an AIServiceBackend; empty for KServe's own protocols.
        prefix: Path before the operations: ``/openai/v1`` of ``/openai/v1/chat/completions``.
        host: The Service that requests are sent to, or the InferencePool.
        host_header: The Host that they must carry there; empty where none is asked for.
        port: Its port.
        health_path: Path that answers 200 once the model answers.
    """

    schema: str
    prefix: str
    host: str
    host_header: str
    port: int
    health_path: str


@dataclass(frozen=True)
class ClusterRuntime:
    """One ServingRuntime, as an InferenceService names it.

    Attributes:
        name: Its name.
        model_format: Name of the model format that it serves.
        format_version: Version of that format.
        prefixes: API to the path before its operations; what is not here is not served.
        health_path: With `{name}` for the model.
    """

    name: str
    model_format: str
    format_version: str
    prefixes: t.Mapping[str, str]
    health_path: str = "/v2/models/{name}/ready"


_V1 = {"v1": "/v1/models"}
_V2 = {"v2": "/v2/models"}
_V1_V2 = {**_V1, **_V2}
_OPENAI = dict.fromkeys(OPENAI_APIS, "/v1")
# No Anthropic path of its own: tier 1 translates messages into chat.
_KSERVE_OPENAI = dict.fromkeys(OPENAI_APIS, "/openai/v1")

CLUSTER_RUNTIMES: t.Mapping[str, ClusterRuntime] = {
    runtime.name: runtime
    for runtime in (
        ClusterRuntime("kserve-sklearnserver", "sklearn", "1", _V1_V2),
        ClusterRuntime("kserve-xgbserver", "xgboost", "2", _V1_V2),
        ClusterRuntime("kserve-lgbserver", "lightgbm", "4", _V1_V2),
        ClusterRuntime("kserve-torchserve", "pytorch", "1", _V1_V2, "/v1/models/{name}"),
        ClusterRuntime("kserve-tensorflow-serving", "tensorflow", "2", _V1, "/v1/models/{name}"),
        ClusterRuntime("kserve-tritonserver", "onnx", "1", _V2),
        ClusterRuntime(
            "kserve-huggingfaceserver", "huggingface", "1", {**_V1_V2, **_KSERVE_OPENAI}
        ),
        ClusterRuntime("kserve-vllmserver", "vLLM", "1", _OPENAI, "/health"),
        ClusterRuntime(LLAMACPP, "gguf", "1", _OPENAI, "/health"),
        ClusterRuntime(PREDICTIVE, "inferencebox", "1", _V1_V2),
        ClusterRuntime(
            LLM_D, "", "", dict.fromkeys(OPENAI_APIS, "/{namespace}/{name}/v1"), "/health"
        ),
    )
}

# Port of the servers in an InferencePool that KServe makes.
_POOL_PORT = 8000

# The runtime of a framework where the inventory names none. A framework whose runtimes speak one
# protocol each has them in the order in which they are tried.
_DEFAULTS: t.Mapping[str, tuple[str, ...]] = {
    "sklearn": ("kserve-sklearnserver",),
    "xgboost": ("kserve-xgbserver",),
    "lightgbm": ("kserve-lgbserver",),
    "pytorch": ("kserve-torchserve",),
    "tensorflow": ("kserve-tensorflow-serving", "kserve-tritonserver"),
    "onnx": ("kserve-tritonserver",),
    "huggingface": ("kserve-huggingfaceserver",),
    "llm": (LLAMACPP,),
}


def cluster_runtime(
    framework: str, runtime: str | None = None, apis: t.Collection[str] = ()
) -> ClusterRuntime:
    """Choose the ServingRuntime of a model.

    Args:
        framework: The model's framework.
        runtime: The runtime that the inventory names; None leaves the choice to the framework.
        apis: The APIs that it must serve; where several runtimes come into question, they decide.

    Returns:
        The runtime. One that a user brings serves KServe's protocols and OpenAI's at their usual paths.

    Raises:
        KeyError: The framework has no runtime of its own and none is named; validation refuses that.
    """
    if runtime is None:
        candidates = [CLUSTER_RUNTIMES[name] for name in _DEFAULTS[framework]]
        able = (each for each in candidates if set(apis) <= set(each.prefixes))
        return _for_format(next(able, candidates[0]), framework)
    if runtime in CLUSTER_RUNTIMES:
        return _for_format(CLUSTER_RUNTIMES[runtime], framework)
    usual = CLUSTER_RUNTIMES[_DEFAULTS[framework][0]] if framework in _DEFAULTS else None
    return ClusterRuntime(
        runtime,
        usual.model_format if usual else "custom",
        usual.format_version if usual else "",
        {**_V1_V2, **_OPENAI},
    )


# Triton serves several formats, and the model says which it is.
_TRITON_FORMATS = {"tensorflow": "2", "pytorch": "1", "onnx": "1"}


def _for_format(runtime: ClusterRuntime, framework: str) -> ClusterRuntime:
    if runtime.name != "kserve-tritonserver" or framework not in _TRITON_FORMATS:
        return runtime
    return replace(runtime, model_format=framework, format_version=_TRITON_FORMATS[framework])


def upstream(runtime: ClusterRuntime, mode: Mode, api: str, name: str, namespace: str) -> Upstream:
    """Say where one API of one model is.

    Args:
        runtime: The model's runtime.
        mode: The model's serving mode.
        api: One of the runtime's APIs.
        name: Name of its InferenceService or LLMInferenceService.
        namespace: That object's namespace.

    Raises:
        KeyError: The runtime does not serve this API.
    """
    service = f"{name}-predictor.{namespace}.svc.cluster.local"
    port = 80
    if runtime.name == LLM_D:
        host, header, port = f"{name}-inference-pool", "", _POOL_PORT
    elif mode == "knative":
        # The predictor's own Service is an alias of the gateway, which tells revisions apart by Host.
        host, header = KNATIVE_LOCAL_GATEWAY, service
    else:
        host, header = service, service
    return Upstream(
        schema="OpenAI" if api in OPENAI_APIS else "",
        prefix=runtime.prefixes[api].format(name=name, namespace=namespace),
        host=host,
        host_header=header,
        port=port,
        health_path=runtime.health_path.format(name=name),
    )
