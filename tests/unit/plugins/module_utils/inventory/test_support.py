# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a target honours: nothing is accepted and ignored, and the table speaks of every key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    TABLE,
    load,
    refused_target,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.problems import (
    fields_by_key,
    section_of,
)
from pydantic import BaseModel

from .sample import VALID, changed, problems

REFUSED_BY_LOCAL: dict[str, tuple[Any, ...]] = {
    "tenants[0].limits.tokens_per_minute": (1000,),
    "tenants[0].limits.tokens_per_month": (1000,),
    "tenants[0].limits.max_tokens_per_request": (1000,),
    "tenants[0].resources.gpu": (1,),
    "tenants[0].isolation": ("soft",),
    "tenants[0].roles.admin": (["group:admins"],),
    "tenants[0].roles.publisher": (["group:writers"],),
    "tenants[0].roles.viewer": (["group:readers"],),
    "models[0].framework": ("pytorch", "tensorflow", "onnx", "huggingface", "custom"),
    "models[0].source": ("gs://bucket/key", "oci://registry/model:1", "pvc://claim/path"),
    "models[0].serving.mode": ("knative",),
    "models[0].serving.replicas.min": (0,),
    "models[0].serving.replicas.max": (3,),
    "models[0].serving.target_concurrency": (8,),
    "models[0].serving.idle_seconds": (60,),
    "models[0].serving.resources.gpu": (1,),
    "models[0].publish.public": (True,),
    "models[0].traffic.canary": ({"version": "2", "weight": 10},),
    "models[0].traffic.mirror": ("2",),
}
CASES = [(path, value) for path, values in REFUSED_BY_LOCAL.items() for value in values]


@pytest.mark.parametrize(("path", "value"), CASES)
def test_local_refuses_with_the_reason(path: str, value: Any) -> None:
    # A generous tenant, so that nothing but the setting itself is wrong.
    raw = changed({"tenants[0].resources": {}, path: value})
    found = problems(raw)
    assert path in found
    assert "not supported by target local: " in found[path].message
    assert found[path].remedy


@pytest.mark.parametrize(("path", "value"), CASES)
def test_kubernetes_validates_the_same(path: str, value: Any) -> None:
    raw = changed(
        {"platform_target": "kubernetes", "tenants[0].resources": {"gpu": 9}, path: value}
    )
    assert problems(raw) == {}


def test_every_refusing_row_is_tried_above() -> None:
    tried = {path.replace("[0]", "[]") for path in REFUSED_BY_LOCAL}
    assert {row.setting for row in TABLE if row.refused} == tried
    assert all(row.uses and row.remedy for row in TABLE if row.refused)


def _keys(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    for key, field in fields_by_key(section).items():
        path = f"{prefix}.{key}".lstrip(".")
        inner = section_of(field.annotation)
        if inner is None:
            yield path
        else:
            yield from _keys(path + ("[]" if "tuple" in str(field.annotation) else ""), inner)


def test_the_table_speaks_of_every_key() -> None:
    settings = {row.setting for row in TABLE}
    missing = [
        key
        for key in _keys("", Platform)
        if not any(key == s or key.startswith((f"{s}.", f"{s}[")) for s in settings)
    ]
    assert missing == []


def test_a_target_that_nothing_installs_yet() -> None:
    raw = changed({"platform_target": "kubernetes"})
    assert problems(raw) == {}
    refused = refused_target(load(raw))
    assert refused is not None
    assert problems(raw, installable=True) == {"platform_target": refused}
    assert refused_target(load(VALID)) is None
