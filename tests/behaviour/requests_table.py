# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every way to ask for a model, and every header by which a caller might pretend to be another."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from .platform_json import Model, Platform

Body = dict[str, t.Any]
# A name that no inventory has; swapped for a real one where two answers are compared byte by byte.
NONEXISTENT = "nonexistent-model"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that names a model."""

    label: str
    api: str
    method: str
    path: str
    body: Body | None = None


def asks(model: Model, *, name: str | None = None) -> list[Ask]:
    """Every request of every protocol that could reach a model.

    Args:
        model: The model whose example is sent.
        name: Another name to put in path and body.

    Returns:
        Requests of all protocols, whether the model speaks them or not: a caller can try any.
    """
    name = name or model.name
    chat: Body = {"messages": [{"role": "user", "content": "Say one word."}], "max_tokens": 1}
    anthropic = copy.deepcopy(chat)
    predict, infer = _predictive_bodies(model)
    return [
        Ask("retrieve", "models", "GET", f"/v1/models/{name}"),
        Ask("chat", "chat", "POST", "/v1/chat/completions", {"model": name, **chat}),
        Ask(
            "completions",
            "completions",
            "POST",
            "/v1/completions",
            {"model": name, "prompt": "One", "max_tokens": 1},
        ),
        Ask("embeddings", "embeddings", "POST", "/v1/embeddings", {"model": name, "input": "One"}),
        Ask(
            "responses",
            "responses",
            "POST",
            "/v1/responses",
            {"model": name, "input": "One", "max_output_tokens": 1},
        ),
        Ask("messages", "messages", "POST", "/anthropic/v1/messages", {"model": name, **anthropic}),
        Ask("v1 predict", "v1", "POST", f"/v1/models/{name}:predict", predict),
        Ask("v1 explain", "explain", "POST", f"/v1/models/{name}:explain", predict),
        Ask("v2 metadata", "v2", "GET", f"/v2/models/{name}"),
        Ask("v2 ready", "v2", "GET", f"/v2/models/{name}/ready"),
        Ask("v2 infer", "v2", "POST", f"/v2/models/{name}/infer", infer),
    ]


def allowed_asks(model: Model) -> list[Ask]:
    """The requests that this model answers with 200 to those who may use it."""
    spoken = {*model.apis, "models"}
    return [ask for ask in asks(model) if ask.api in spoken]


def v2_input(rows: t.Sequence[t.Sequence[float]]) -> Body:
    """Rows of numbers as one input tensor of KServe's V2."""
    return {
        "name": "input-0",
        "shape": [len(rows), len(rows[0])],
        "datatype": "FP64",
        "data": [value for row in rows for value in row],
    }


def _predictive_bodies(model: Model) -> tuple[Body, Body]:
    """Bodies in V1 and V2 form, of the same rows."""
    rows = model.example_body.get("instances") or [[1.0, 2.0, 3.0, 4.0]]
    return {"instances": rows}, {"inputs": [v2_input(rows)]}


def spoofed_headers(
    platform: Platform, tenant: str, model: Model
) -> dict[str, list[tuple[str, str]]]:
    """Header sets by which a caller claims to be another tenant or to mean another model.

    Args:
        platform: The platform.
        tenant: Whom the caller pretends to be.
        model: Which model the headers name.

    Returns:
        Sets by a short label.
    """
    host = f"{model.name}.{model.owner}.{platform.host.partition('.')[2]}"
    spiffe = f"By=spiffe://x;URI=spiffe://{platform.name}/ns/{tenant}/sa/{tenant}"
    return {
        "nothing": [],
        "x-tenant-id": [("x-tenant-id", tenant)],
        "X-Tenant-ID twice": [("X-Tenant-ID", tenant), ("x-tenant-id", tenant)],
        "x-user-id": [("x-user-id", f"{tenant}-admin")],
        "x-ai-eg-model": [("x-ai-eg-model", model.name)],
        "x-forwarded-client-cert": [("x-forwarded-client-cert", spiffe)],
        "x-forwarded-host": [("x-forwarded-host", host), ("forwarded", f"host={host}")],
        "x-original-url": [
            ("x-original-url", f"/v1/models/{model.name}"),
            ("x-rewrite-url", f"/v1/models/{model.name}"),
            ("x-envoy-original-path", f"/v1/models/{model.name}"),
        ],
        "connection": [("connection", "x-tenant-id, x-user-id")],
        "x-jwt-payload": [
            ("x-jwt-payload", "eyJ0ZW5hbnQiOiJ0ZW5hbnQtYSJ9"),
            ("x-jwt-claim", tenant),
        ],
        "method override": [("x-http-method-override", "GET"), ("x-method-override", "GET")],
        "everything": [
            ("x-tenant-id", tenant),
            ("x-user-id", tenant),
            ("x-ai-eg-model", model.name),
            ("x-forwarded-client-cert", spiffe),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-envoy-internal", "true"),
        ],
    }
