# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is installed around a platform: which components, from where, in which order, and how they are set."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    components,
    gateway,
)

from . import sample

_TRAIN = TRAINS["2026.11"]


def changed(platform: Platform, **variables: object) -> Platform:
    return load({**to_vars(platform), **variables})


def test_a_small_platform_needs_no_more_than_it_uses() -> None:
    needed = components.needed(sample.small())
    assert {"gateway-api", "cert-manager", "istio", "kserve"} <= set(needed)
    unused = {"envoy-gateway", "ai-gateway", "valkey", "knative-serving", "net-istio", "lws"}
    assert not unused & set(needed)
    assert {"envoy-gateway", "ai-gateway", "valkey"} <= set(components.needed(sample.full()))
    assert needed == [name for name in _TRAIN.components if name in needed]


def test_modes_and_autoscalers_bring_their_controllers() -> None:
    needed = set(components.needed(sample.full()))
    modes = {model.serving.mode for model in sample.full().models}
    scalers = {model.serving.scaled_by for model in sample.full().models}
    assert ("knative" in modes) == ("knative-serving" in needed)
    assert ("keda" in scalers) == ("keda" in needed)


def test_every_needed_component_is_in_one_layer_and_layers_keep_the_order() -> None:
    platform = sample.full()
    found = []
    for name in components.LAYERS:
        layer = components.layer(platform, name)
        for kind in ("rendered", "manifests", "releases"):
            found += [row["component"] for row in layer[kind]]
    assert set(found) == set(components.installed(platform))


def test_what_is_provided_is_neither_installed_nor_removed() -> None:
    cluster = {**to_vars(sample.full())["platform_cluster"], "provided": ["cert-manager", "istio"]}
    platform = changed(sample.full(), platform_cluster=cluster)
    rows = components.releases(platform)
    assert not {"cert-manager", "istio"} & {row["component"] for row in rows}
    assert not {"cert-manager", "istio"} & {row["name"] for row in components.removable(platform)}
    assert "istio-system" not in {
        one["metadata"]["name"] for one in components.namespaces(platform)
    }
    demanded = {one["name"]: one["provided"] for one in components.demands(platform)["components"]}
    assert demanded["istio"] is True
    assert demanded["kserve"] is False


def test_versions_and_addresses_are_the_trains() -> None:
    for row in components.releases(sample.full()):
        assert row["version"] == _TRAIN.components[row["component"]].version
        assert row["chart"].startswith("oci://") != bool(row["repository"])


def test_settings_of_a_rendered_chart_go_on_the_command_line() -> None:
    (row,) = components.layer(sample.full(), "gateway")["rendered"]
    given = [one["value"].partition("=") for one in row["set_values"]]
    assert {key: json.loads(value) for key, _, value in given} == row["values"] != {}
    assert {one["value_type"] for one in row["set_values"]} == {"json"}


def test_a_bundle_takes_everything_from_one_folder() -> None:
    platform = changed(sample.full(), platform_bundle="/srv/bundle")
    for name in components.LAYERS:
        layer = components.layer(platform, name)
        for row in layer["releases"] + layer["rendered"]:
            assert row["chart"].startswith("/srv/bundle/charts/")
            assert row["chart"].endswith(f"-{row['version']}.tgz")
            assert row["repository"] == ""
        for row in layer["manifests"]:
            assert all(file.startswith("/srv/bundle/manifests/") for file in row["files"])


def test_a_bundle_is_filled_with_the_files_that_are_looked_for() -> None:
    folder = "/srv/bundle"
    found = components.files(sample.full())
    fetched = {f"{folder}/charts/{row['file']}" for row in found["charts"]}
    fetched |= {
        f"{folder}/{row['directory']}/{row['url'].rpartition('/')[2]}" for row in found["manifests"]
    }
    images = {f"{folder}/images/{row['file']}" for row in found["images"]}
    assert {f"{folder}/{path}" for path in found["paths"]} == fetched | images
    wanted = set()
    for name in components.LAYERS:
        layer = components.layer(changed(sample.full(), platform_bundle=folder), name)
        wanted |= {row["chart"] for row in layer["releases"] + layer["rendered"]}
        wanted |= {file for row in layer["manifests"] for file in row["files"]}
    assert fetched == wanted


def test_tier_2_is_a_gateway_in_the_platforms_namespace() -> None:
    platform = sample.small()
    (release,) = components.layer(platform, "tier2")["releases"]
    assert (release["name"], release["namespace"]) == ("tier2", platform.cluster.namespace)
    assert release["values"]["serviceAccount"] == {"create": False, "name": "tier2"}


def test_a_small_machine_keeps_room_for_models() -> None:
    def requests(platform: Platform) -> list[Any]:
        rows = {row["name"]: row["values"] for row in components.releases(platform)}
        return [rows[name].get("resources") for name in ("istiod", "istio-cni", "tier2")]

    assert all(asked and "limits" not in asked for asked in requests(sample.small()))
    assert requests(sample.full()) == [None, None, None]


def test_the_mesh_lets_tier_1_alone_where_it_captures_nothing() -> None:
    for platform, alone in ((sample.small(), True), (sample.full(), False)):
        rows = {row["name"]: row["values"] for row in components.releases(platform)}
        excluded = rows["istio-cni"].get("excludeNamespaces", [])
        assert (platform.cluster.namespace in excluded) is alone


def test_secrets_are_derived_and_absent_where_nobody_gave_one() -> None:
    without = json.dumps([components.layer(sample.full(), name) for name in components.LAYERS])
    assert "requirepass" not in without
    assert "sessionEncryption" not in without
    one = components.layer(sample.full(), "limits", "s3cret")["manifests"][0]["objects"]
    again = components.layer(sample.full(), "limits", "s3cret")["manifests"][0]["objects"]
    assert one == again
    secret = next(each for each in one if each["kind"] == "Secret")
    assert len(secret["stringData"]["password"]) == 64
    assert "s3cret" not in json.dumps(one)
    seed = components.layer(sample.full(), "gateway", "s3cret")["releases"][-1]["values"]
    assert (
        seed["controller"]["mcp"]["sessionEncryption"]["seed"] != secret["stringData"]["password"]
    )


def test_removal_goes_backwards() -> None:
    names = [row["name"] for row in components.removable(sample.small())]
    possible = [name for name, one in _TRAIN.components.items() if not one.instead_of]
    assert names == list(reversed(possible))
    istio = next(row for row in components.removable(sample.small()) if row["name"] == "istio")
    order = [row["name"] for row in istio["releases"]]
    assert (order[0], order[-1]) == ("tier2", "istio-base")
    assert {
        "api_version": "v1",
        "kind": "ConfigMap",
        "namespace": "*",
        "name": "istio-ca-root-cert",
    } in istio["leftovers"]


def test_a_mode_says_for_what_it_needs_its_controller() -> None:
    rows = {one["name"]: one for one in components.demands(sample.full())["components"]}
    if "knative-serving" in rows:
        assert "in mode knative" in rows["knative-serving"]["needed_for"]
    assert rows["kserve"]["needed_for"].endswith("to be served")


def controlled_node(**cluster: object) -> Platform:
    variables = to_vars(sample.node())
    return changed(
        sample.node(),
        platform_engine={"gateway": "controller"},
        platform_cluster={**variables["platform_cluster"], **cluster},
    )


def test_tier_1_with_its_controllers_is_told_where_its_images_are() -> None:
    rows = {row["name"]: row for row in components.releases(controlled_node())}
    images = rows["eg"]["values"]["global"]["images"]
    assert {key: one["image"].rpartition(":")[0] for key, one in images.items()} == {
        "envoyGateway": "localhost/inferencebox/envoyproxy/gateway",
        "ratelimit": "localhost/inferencebox/envoyproxy/ratelimit",
    }
    assert rows["eg"]["version"] == _TRAIN.components["envoy-gateway"].built
    values = rows["aieg"]["values"]
    built = _TRAIN.components["ai-gateway"].built
    for part, name in ((values["controller"], "controller"), (values["extProc"], "extproc")):
        repository = f"localhost/inferencebox/envoyproxy/ai-gateway-{name}"
        assert part["image"] == {"repository": repository, "tag": built}
    assert rows["aieg"]["version"] == built
    (proxy,) = (
        one for one in gateway.configuration(controlled_node()) if one["kind"] == "EnvoyProxy"
    )
    container = proxy["spec"]["provider"]["kubernetes"]["envoyDeployment"]["container"]
    assert container["image"].rpartition(":")[0] == "localhost/inferencebox/envoyproxy/envoy"


@pytest.mark.parametrize("storage_class", [None, "standard"])
def test_counters_outlive_their_pod_where_there_are_volumes(storage_class: str | None) -> None:
    (row,) = components.layer(controlled_node(storage_class=storage_class), "limits")["manifests"]
    assert row["component"] == "redis"
    objects = {one["kind"]: one["spec"] for one in row["objects"]}
    assert ("PersistentVolumeClaim" in objects) == (storage_class is not None)
    pod = objects["Deployment"]["template"]["spec"]
    volume = next(one for one in pod["volumes"] if one["name"] == "data")
    assert ("emptyDir" in volume) == (storage_class is None)
    (container,) = pod["containers"]
    assert container["command"][0] == "redis-server"
    assert "/library/redis:" in container["image"]


def test_an_unknown_layer() -> None:
    with pytest.raises(KeyError):
        components.layer(sample.small(), "nonsense")
