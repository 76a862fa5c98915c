# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What serving on a cluster asks of models, and what another target does not mind."""

from __future__ import annotations

from typing import Any

import pytest

from .sample import changed, problems

CLUSTER = {"platform_target": "kubernetes", "tenants[0].resources": {"gpu": 9}}
VERSIONS = [{"version": "2", "source": "s3://models/iris2"}]
IMAGE = {"image": "registry.example.org/team/transformer:1.0"}
LLM_D = {
    "models[0].framework": "llm",
    "models[0].runtime": "llm-d",
    "models[0].source": "hf://owner/name",
    "models[0].publish": {"apis": ["chat"]},
}

# What is wrong, where, and what makes it right.
WRONG: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    (
        {"models[0].framework": "tensorflow", "models[0].publish": {"apis": ["v1", "v2"]}},
        "models[0].publish.apis[1]",
        {"models[0].publish": {"apis": ["v1"]}},
    ),
    (
        {"models[0].framework": "onnx", "models[0].publish": {"apis": ["v1"]}},
        "models[0].publish.apis[0]",
        {"models[0].publish": {"apis": ["v2"]}},
    ),
    (
        {"models[0].runtime": "kserve-tritonserver", "models[0].publish": {"apis": ["v1", "v2"]}},
        "models[0].publish.apis[0]",
        {"models[0].runtime": "kserve-mlserver"},
    ),
    (
        {"models[0].source": "pvc://claim/iris", "models[0].source_secret": "reader"},
        "models[0].source_secret",
        {"models[0].source": "s3://models/iris"},
    ),
    (
        {"models[0].source": "hf://owner/name/iris.joblib"},
        "models[0].source",
        {"models[0].source": "hf://owner/name"},
    ),
    (
        {**LLM_D, "models[0].serving": {"mode": "knative"}},
        "models[0].serving.mode",
        {"models[0].serving": {}},
    ),
    (
        {**LLM_D, "models[0].serving": {"replicas": {"min": 1, "max": 3}}},
        "models[0].serving.replicas",
        {"models[0].serving": {"replicas": {"min": 3, "max": 3}}},
    ),
    (
        {**LLM_D, "models[0].transformer": IMAGE},
        "models[0].transformer",
        {"models[0].runtime": "kserve-vllmserver"},
    ),
    (
        {**LLM_D, "models[0].versions": VERSIONS, "models[0].traffic": {"mirror": "2"}},
        "models[0].traffic.mirror",
        {"models[0].runtime": "kserve-vllmserver"},
    ),
]


@pytest.mark.parametrize(("wrong", "path", "right"), WRONG, ids=[case[1] for case in WRONG])
def test_what_kserve_would_not_do_is_refused(
    wrong: dict[str, Any], path: str, right: dict[str, Any]
) -> None:
    found = problems(changed({**CLUSTER, **wrong}))
    assert set(found) == {path}
    assert found[path].remedy
    assert problems(changed({**CLUSTER, **wrong, **right})) == {}


def test_a_path_inside_a_hub_is_for_servers_of_ours() -> None:
    chat = {**LLM_D, "models[0].source": "hf://owner/name/model.gguf", "models[0].runtime": None}
    assert problems(changed({**CLUSTER, **chat})) == {}
    own = {"models[0].source": "hf://owner/name/a", "models[0].runtime": "inferencebox-predictive"}
    assert problems(changed({**CLUSTER, **own})) == {}


def test_a_source_that_cannot_be_read_is_the_only_problem() -> None:
    assert set(problems(changed({**CLUSTER, "models[0].source": "nothing"}))) == {
        "models[0].source"
    }
