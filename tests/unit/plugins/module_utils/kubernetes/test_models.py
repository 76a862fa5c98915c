# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is served, framework by framework and mode by mode, beyond what the golden files show."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import models
from ansible_collections.inferencebox.platform.plugins.module_utils.serving.upstreams import (
    PREDICTIVE,
)

from . import sample

MODEL: dict[str, Any] = {
    "name": "model",
    "tenant": "tenant-a",
    "framework": "sklearn",
    "source": "s3://models/model",
}
FIXED = {"replicas": {"min": 1, "max": 1}}


def made(**changes: Any) -> list[dict[str, Any]]:
    """Objects of a platform with one model."""
    raw = copy.deepcopy(sample.FULL)
    raw["providers"] = []
    raw["models"] = [{**MODEL, **changes}]
    raw["tenants"] = [
        {"name": "tenant-a", "models": {"allow": ["model"]}, "resources": {"gpu": 8}},
        {"name": "tenant-b", "isolation": "soft"},
    ]
    return models.objects(load(raw))


def only(kind: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


def service(**changes: Any) -> dict[str, Any]:
    return only("InferenceService", made(**changes))


def predictor(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = service(**changes)["spec"]["predictor"]
    return found


@pytest.mark.parametrize(
    ("framework", "apis", "expected"),
    [
        ("sklearn", ["v1", "v2"], ("sklearn", "1", "kserve-sklearnserver", "v1")),
        ("xgboost", ["v1"], ("xgboost", "2", "kserve-xgbserver", "v1")),
        ("lightgbm", ["v2"], ("lightgbm", "4", "kserve-lgbserver", "v1")),
        ("pytorch", ["v1", "v2"], ("pytorch", "1", "kserve-torchserve", "v1")),
        ("tensorflow", ["v1"], ("tensorflow", "2", "kserve-tensorflow-serving", "v1")),
        ("tensorflow", ["v2"], ("tensorflow", "2", "kserve-tritonserver", "v2")),
        ("onnx", ["v2"], ("onnx", "1", "kserve-tritonserver", "v2")),
        ("huggingface", ["chat"], ("huggingface", "1", "kserve-huggingfaceserver", "v1")),
        ("llm", ["chat"], ("gguf", "1", "inferencebox-llamacpp", "v1")),
    ],
)
@pytest.mark.parametrize("mode", ["standard", "knative"])
def test_every_framework_in_both_modes(
    framework: str, apis: list[str], expected: tuple[str, ...], mode: str
) -> None:
    found = service(framework=framework, publish={"apis": apis}, serving={"mode": mode})
    model = found["spec"]["predictor"]["model"]
    form = model["modelFormat"]
    assert (form["name"], form["version"], model["runtime"], model["protocolVersion"]) == expected
    modes = {"standard": "Standard", "knative": "Knative"}
    annotations = found["metadata"]["annotations"]
    assert annotations["serving.kserve.io/deploymentMode"] == modes[mode]


@pytest.mark.parametrize("mode", ["standard", "knative"])
def test_no_mode_gives_a_host_outside_of_tier_2(mode: str) -> None:
    visible = {
        "standard": "networking.kserve.io/visibility",
        "knative": "networking.knative.dev/visibility",
    }
    assert service(serving={"mode": mode})["metadata"]["labels"][visible[mode]] == "cluster-local"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://models/a/b", "s3://models/a/b"),
        ("gs://models/a", "gs://models/a"),
        ("hf://owner/name", "hf://owner/name"),
        ("hf://owner/name@v1", "hf://owner/name:v1"),
        ("oci://registry.example.org/a/b:1", "oci://registry.example.org/a/b:1"),
        ("pvc://claim/a", "pvc://claim/a"),
        ("pvc://claim", "pvc://claim"),
        ("python://inferencebox_samples/iris", "python://inferencebox_samples/iris"),
    ],
)
def test_a_source_becomes_a_storage_uri(source: str, expected: str) -> None:
    assert predictor(source=source)["model"]["storageUri"] == expected


def test_https_is_fetched_as_it_is() -> None:
    source = "https://example.org/model.joblib"
    assert predictor(source=source)["model"]["storageUri"] == source


def test_a_path_inside_a_hub_is_the_servers_to_find() -> None:
    model = predictor(framework="llm", source="hf://owner/name@v1/some/model.gguf")["model"]
    assert model["storageUri"] == "hf://owner/name:v1"
    assert "--artifact=/mnt/models/some/model.gguf" in model["args"]


def test_a_secret_is_named_where_it_is_looked_for() -> None:
    account = only("ServiceAccount", made(source_secret="reader"))
    assert account["secrets"] == [{"name": "reader"}]
    image = "oci://registry.example.org/models/iris:1"
    account = only("ServiceAccount", made(source=image, source_secret="puller"))
    assert account["imagePullSecrets"] == [{"name": "puller"}]
    assert "secrets" not in account
    spec = predictor(source=image, source_secret="puller")
    assert spec["serviceAccountName"] == account["metadata"]["name"] == "model-model"


def test_a_model_without_secret_is_the_tenants() -> None:
    assert predictor()["serviceAccountName"] == "models"
    assert [each for each in made() if each["kind"] == "ServiceAccount"] == []


def test_packages_come_from_an_image_of_ours() -> None:
    found = only("ClusterStorageContainer", made(source="python://inferencebox_samples/iris"))
    assert found["spec"]["supportedUriFormats"] == [{"prefix": "python://"}]


@pytest.mark.parametrize(
    ("serving", "scaler", "fields"),
    [
        (FIXED, "none", {"minReplicas": 1, "maxReplicas": 1}),
        (
            {"replicas": {"min": 1, "max": 3}},
            "hpa",
            {"minReplicas": 1, "maxReplicas": 3, "scaleMetric": "cpu", "scaleTarget": 80},
        ),
        ({"replicas": {"min": 0, "max": 3}}, "external", {"minReplicas": 0, "maxReplicas": 3}),
    ],
)
def test_what_scales_is_written_down(
    serving: dict[str, Any], scaler: str, fields: dict[str, Any]
) -> None:
    found = service(serving=serving)
    assert found["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == scaler
    assert fields.items() <= found["spec"]["predictor"].items()


def test_keda_counts_requests_at_once_and_sleeps_when_idle() -> None:
    serving = {"replicas": {"min": 0, "max": 3}, "target_concurrency": 4, "idle_seconds": 90}
    spec = only("ScaledObject", made(serving=serving))["spec"]
    assert spec["scaleTargetRef"] == {"name": "model-predictor"}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"], spec["cooldownPeriod"]) == (0, 3, 90)
    (trigger,) = spec["triggers"]
    assert trigger["metadata"]["threshold"] == "4"
    assert "model-predictor.tenant-a.svc.cluster.local" in trigger["metadata"]["query"]


def test_knative_scales_by_concurrency() -> None:
    serving = {
        "mode": "knative",
        "replicas": {"min": 0, "max": 3},
        "target_concurrency": 4,
        "idle_seconds": 90,
        "start_timeout": "120s",
    }
    spec = predictor(serving=serving)
    assert (spec["scaleMetric"], spec["scaleTarget"]) == ("concurrency", 4)
    annotations = dict(spec["annotations"])
    assert annotations.pop("inferencebox.io/digest")
    assert annotations == {
        "serving.knative.dev/progress-deadline": "120s",
        "autoscaling.knative.dev/window": "90s",
        "autoscaling.knative.dev/target-burst-capacity": "0",
    }
    spec = predictor(serving=serving, tenant="tenant-a")
    assert "autoscalerClass" not in str(service(serving=serving)["metadata"]["annotations"])


VERSIONS = [{"version": "2", "source": "s3://models/other"}]


@pytest.mark.parametrize(
    "change",
    [
        {"version": "9"},
        {"source": "s3://models/other"},
        {"serving": {"mode": "knative", "replicas": {"min": 0, "max": 2}}},
        {"serving": {"mode": "knative", "idle_seconds": 90}},
    ],
)
def test_what_makes_a_new_revision_is_known_by_it(change: dict[str, Any]) -> None:
    def digest(**values: Any) -> str:
        made = predictor(**{"serving": {"mode": "knative"}, **values})
        return str(made["annotations"]["inferencebox.io/digest"])

    assert digest() != digest(**change)
    # A share is the Service's, which stays.
    canary = {"versions": VERSIONS, "traffic": {"canary": {"version": "2", "weight": 10}}}
    promoted = {"version": "2", "source": "s3://models/other"}
    assert digest(**canary) == digest(**promoted)


def test_a_canary_in_mode_standard_is_a_second_predictor() -> None:
    traffic = {"canary": {"version": "2", "weight": 10}}
    spec = service(versions=VERSIONS, traffic=traffic)["spec"]
    (canary,) = spec["canary"]
    assert canary["trafficPercent"] == 10
    assert spec["predictor"]["model"]["storageUri"] == "s3://models/model"
    assert canary["predictor"]["model"]["storageUri"] == "s3://models/other"
    # The webhook demands a name and refuses anything that scales; the schema demands the container's.
    assert canary["predictor"]["name"] == "canary"
    assert canary["predictor"]["model"]["name"] == "kserve-container"
    scaling = {"maxReplicas", "scaleTarget", "scaleMetric", "autoScaling"}
    assert scaling.isdisjoint(canary["predictor"])
    assert "name" not in spec["predictor"]["model"]


def test_a_canary_in_mode_knative_is_the_newest_revision() -> None:
    traffic = {"canary": {"version": "2", "weight": 10}}
    found = service(versions=VERSIONS, traffic=traffic, serving={"mode": "knative"})
    spec = found["spec"]
    assert "canary" not in spec
    assert spec["predictor"]["canaryTrafficPercent"] == 10
    assert spec["predictor"]["model"]["storageUri"] == "s3://models/other"
    assert found["metadata"]["labels"]["inferencebox.io/version"] == "2"


def test_a_mirror_is_a_service_of_its_own_under_the_models_name() -> None:
    objects = made(versions=VERSIONS, traffic={"mirror": "2"})
    mirror = next(each for each in objects if each["metadata"]["name"] == "model-mirror")
    assert mirror["kind"] == "InferenceService"
    assert mirror["spec"]["predictor"]["model"]["args"] == ["--model_name=model"]


def test_a_mirror_is_probed_under_the_name_that_it_serves() -> None:
    objects = made(versions=VERSIONS, traffic={"mirror": "2"}, runtime=PREDICTIVE)
    probes = {
        each["metadata"]["name"]: each["spec"]["predictor"]["model"].get("readinessProbe", {})
        for each in objects
        if each["kind"] == "InferenceService"
    }
    # The stable version is probed as its runtime says.
    assert probes["model"] == {}
    assert probes["model-mirror"]["httpGet"]["path"] == "/v2/models/model/ready"


def test_a_transformer_has_an_identity_that_may_call_predictors() -> None:
    image = "registry.example.org/team/transformer:1"
    spec = service(transformer={"image": image, "args": ["--wide"]})["spec"]["transformer"]
    assert spec["serviceAccountName"] == "transformers"
    (container,) = spec["containers"]
    assert (container["image"], container["args"]) == (image, ["--wide"])


@pytest.mark.parametrize(("replicas", "count"), [((1, 3), 0), ((2, 3), 1)])
def test_what_must_not_vanish_at_once_has_a_budget(replicas: tuple[int, int], count: int) -> None:
    serving = {"replicas": {"min": replicas[0], "max": replicas[1]}}
    kinds = [each["kind"] for each in made(serving=serving)]
    assert kinds.count("PodDisruptionBudget") == count


def test_llm_d_makes_an_inference_pool() -> None:
    objects = made(
        framework="llm",
        runtime="llm-d",
        source="hf://owner/name",
        serving={"replicas": {"min": 2, "max": 2}, "resources": {"gpu": 1}},
        versions=[{"version": "2", "source": "hf://owner/other"}],
        traffic={"canary": {"version": "2", "weight": 10}},
    )
    stable, canary = (each for each in objects if each["kind"] == "LLMInferenceService")
    assert "InferenceService" not in {each["kind"] for each in objects}
    assert stable["spec"]["router"]["scheduler"] == {}
    http = {"spec": {"hostnames": ["model.tenant-a.inference.example.org"]}}
    assert stable["spec"]["router"]["route"] == {"group": "model", "weight": 90, "http": http}
    assert canary["spec"]["router"]["route"] == {"group": "model", "weight": 10, "http": http}
    assert canary["spec"]["model"] == {"uri": "hf://owner/other", "name": "model"}


def test_pods_ask_for_nothing_that_restricted_namespaces_refuse() -> None:
    transformer = {"image": "registry.example.org/team/transformer:1"}
    spec = service(transformer=transformer, framework="llm", source="hf://o/n")["spec"]
    runtime = only("ServingRuntime", made(framework="llm", source="hf://o/n"))["spec"]
    for pod in (spec["predictor"], spec["transformer"]):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    containers = [
        spec["predictor"]["model"],
        *spec["transformer"]["containers"],
        *runtime["containers"],
    ]
    for container in containers:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
