# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an inventory may ask for when its images do not come from their projects."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    load,
    to_vars,
)

BUILT: dict[str, Any] = {
    "platform_name": "demo",
    "platform_target": "kubernetes",
    "platform_engine": {"gateway": "standalone"},
    "platform_observability": {"prometheus": "disabled"},
    "platform_images": {"registry": "localhost/inferencebox", "source": "built"},
    "tenants": [{"name": "tenant-a", "models": {"allow": ["iris", "chatty"]}}],
    "models": [
        {
            "name": "iris",
            "tenant": "tenant-a",
            "framework": "sklearn",
            "source": "python://inferencebox_samples/iris",
        },
        {
            "name": "chatty",
            "tenant": "tenant-a",
            "framework": "llm",
            "source": "pvc://claim/model.gguf",
        },
    ],
}


def problems(**variables: Any) -> dict[str, str]:
    """What is wrong, by path."""
    with pytest.raises(InventoryError) as caught:
        load({**copy.deepcopy(BUILT), **variables})
    return {problem.path: problem.message for problem in caught.value.problems}


def iris(**keys: Any) -> list[Any]:
    models: list[Any] = copy.deepcopy(BUILT["models"])
    models[0] |= keys
    return models


def test_models_get_the_platforms_own_servers_where_images_are_built() -> None:
    platform = load(BUILT)
    assert platform.model("iris").runtime == "inferencebox-predictive"
    assert platform.model("chatty").runtime is None
    assert load(to_vars(platform)) == platform
    published = load({**BUILT, "platform_images": {"registry": "registry.example.org/mirror"}})
    assert published.model("iris").runtime is None


@pytest.mark.parametrize(
    "registry", ["localhost", "localhost/a", "r.example.org", "r.example.org:5000/a/b-c", "r:5000"]
)
def test_registries(registry: str) -> None:
    assert load({**BUILT, "platform_images": {"registry": registry}}).images.registry == registry


@pytest.mark.parametrize(
    "registry",
    [
        "",
        "mirror",
        "https://r.example.org",
        "r.example.org/",
        "r.example.org/A",
        "r.example.org/a:1",
    ],
)
def test_what_is_no_registry_is_refused(registry: str) -> None:
    found = problems(platform_images={"registry": registry})
    assert "registry" in found["platform_images.registry"]


def test_built_images_need_a_name_of_their_own() -> None:
    assert "is missing" in problems(platform_images={"source": "built"})["platform_images.registry"]


@pytest.mark.parametrize("source", ["published", "built"])
def test_components_that_cannot_be_told_a_registry_are_refused(source: str) -> None:
    given = {
        "platform_images": {"registry": "registry.example.org", "source": source},
        "platform_engine": {"gateway": "controller"},
        "platform_observability": {"prometheus": "auto", "traces": "jaeger"},
        "models": iris(serving={"mode": "knative"}),
    }
    found = problems(**given)
    keys = {f"platform_observability.{key}" for key in ("prometheus", "traces")}
    assert set(found) == {*keys, "models[0].serving.mode"}
    provided = ["kube-prometheus-stack", "jaeger", "opentelemetry-collector"]
    provided += ["knative-serving", "net-istio"]
    load({**BUILT, **given, "platform_cluster": {"provided": provided}})


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"framework": "pytorch"}, "models[0].framework"),
        ({"runtime": "kserve-sklearnserver"}, "models[0].runtime"),
        ({"source": "oci://registry.example.org/model:1"}, "models[0].source"),
        (
            {
                "versions": [{"version": "2", "source": "oci://registry.example.org/model:2"}],
                "traffic": {"canary": {"version": "2", "weight": 10}},
            },
            "models[0].versions[0].source",
        ),
    ],
)
def test_models_that_need_other_images_are_refused(keys: dict[str, Any], path: str) -> None:
    assert "built" in problems(models=iris(**keys))[path]


@pytest.mark.parametrize("source", ["s3://bucket/model", "https://files.example.org/model.joblib"])
def test_models_are_fetched_by_images_that_are_built(source: str) -> None:
    assert load({**BUILT, "models": iris(source=source)}).model("iris").source == source


def test_one_machine_has_no_images() -> None:
    found = problems(platform_target="local", platform_engine={}, models=iris()[:1])
    assert {"platform_images.registry", "platform_images.source"} <= set(found)


def test_a_node_serves_mode_knative_with_images_that_are_built() -> None:
    given = {
        "platform_bundle": "/srv/bundle",
        "platform_cluster": {"provider": "node", "service_type": "NodePort"},
        "platform_gateway": {"address": "10.98.0.2", "https_port": 30443},
        "models": iris(serving={"mode": "knative"}),
    }
    load({**BUILT, **given})
    found = problems(**given, platform_images={"source": "published"})
    assert "built" in found["models[0].serving.mode"]
