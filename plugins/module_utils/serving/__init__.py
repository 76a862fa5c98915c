# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each framework's model server speaks: one pure table, the same for every target."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """How a kind of model server is reached.

    Attributes:
        name: Name of the runtime.
        apis: APIs that it can serve, in the inventory's words.
        health_path: Path that answers 200 once the model answers; `{name}` is the model.
        example_path: Path of the example request.
        keeps_connections: Whether a connection may be used again; False for a server that closes some without
            having said so, because the next request could be lost on it.
    """

    name: str
    apis: tuple[str, ...]
    health_path: str
    example_path: str
    keeps_connections: bool = True

    def example_body(self, model: str) -> dict[str, t.Any] | None:
        """A body that any model of this runtime answers, or None where it depends on the model."""
        if self.name != "llamacpp":
            return None
        question = [{"role": "user", "content": "Say hello in five words."}]
        return {"model": model, "messages": question, "max_tokens": 24}


_PREDICTIVE = Runtime(
    "kserve", ("v1", "v2"), "/v2/models/{name}/ready", "/v1/models/{name}:predict"
)
_LLM = Runtime(
    "llamacpp",
    ("chat", "completions", "embeddings", "responses", "messages"),
    "/health",
    "/v1/chat/completions",
    # llama.cpp's server ends a streamed answer with its chunks, and then closes (seen with xllamacpp 2026.10).
    keeps_connections=False,
)
RUNTIMES: t.Mapping[str, Runtime] = {
    "sklearn": _PREDICTIVE,
    "xgboost": _PREDICTIVE,
    "lightgbm": _PREDICTIVE,
    "llm": _LLM,
}


def runtime_of(framework: str) -> Runtime:
    """The runtime of a framework.

    Raises:
        KeyError: No runtime serves this framework; validation refuses such a model before.
    """
    return RUNTIMES[framework]
