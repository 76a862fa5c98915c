# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a platform on a node is given, where it is asked thousands of questions."""

from __future__ import annotations

import copy
import dataclasses
import typing as t
from pathlib import Path

import yaml

from tests.node.own_node import OwnNode

_ROOT = Path(__file__).resolve().parents[2]
# Filling the bundle takes minutes and gigabytes; what is there is not made again.
BUNDLE = _ROOT / ".cache/node/bundle"
_PLENTY = 1_000_000
_LANGUAGE_APIS = ("chat", "completions", "embeddings", "responses", "messages")


def unlimited() -> dict[str, t.Any]:
    """Tenants and models of inventories/node: tenants without limits, and all that its models can."""
    tenants = _read("tenants")
    for tenant in tenants:
        tenant["limits"]["requests_per_minute"] = _PLENTY
    models = _read("models")
    for model in models:
        if model["framework"] == "llm":
            model["publish"]["apis"] = list(_LANGUAGE_APIS)
    return {"tenants": tenants, "models": models}


def with_another_model(node: OwnNode, model: str, name: str) -> OwnNode:
    """The node as it becomes when its inventory has one model more.

    Args:
        node: The node.
        model: The model that it is like.
        name: Its name.
    """
    variables = copy.deepcopy(dict(node.variables))
    (one,) = (each for each in variables["models"] if each["name"] == model)
    another = {**copy.deepcopy(one), "name": name}
    another["serving"]["resources"]["cpu"] = "100m"
    variables["models"].append(another)
    (owner,) = (each for each in variables["tenants"] if each["name"] == one["tenant"])
    owner["models"]["allow"].append(name)
    return dataclasses.replace(node, variables=variables)


def _read(topic: str) -> list[dict[str, t.Any]]:
    file = _ROOT / f"inventories/node/group_vars/all/{topic}.yml"
    found: list[dict[str, t.Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))[topic]
    return found
