# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applying, repeating, changing and pruning on a real API server."""

from __future__ import annotations

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

from tests.cluster.steps import Object, Platform, statuses

pytestmark = pytest.mark.proves("L1", "apply")

# Short, because nothing will come of the waiting.
_SECONDS = 1.0


def exists(api: Api, path: str) -> bool:
    return api._client.get(path).status_code != httpx.codes.NOT_FOUND


def as_another(api: Api, path: str, body: Object, manager: str, content: str = "merge") -> None:
    """Change an object as somebody else would."""
    answer = api._client.patch(
        path,
        params={"fieldManager": manager},
        headers={"Content-Type": f"application/{content}-patch+json"},
        json=body,
    )
    assert answer.status_code == httpx.codes.OK, answer.text


def report_status(api: Api, path: str, status: Object) -> None:
    """Write a status as the object's controller would."""
    as_another(api, f"{path}/status", {"status": status}, "controller")


def test_the_whole_life_of_objects(platform: Platform, api: Api) -> None:
    """Create, repeat, change, repeat, remove, repeat: each in check mode first, which changes nothing."""
    first = [platform.space(), platform.config(colour="red"), platform.secret(key="value-of-key")]
    second = [platform.space(), platform.config(colour="blue"), platform.secret(key="other-value")]
    steps: list[tuple[list[Object], dict[str, str]]] = [
        (first, dict.fromkeys(("Namespace", "ConfigMap", "Secret"), "created")),
        (first, dict.fromkeys(("Namespace", "ConfigMap", "Secret"), "unchanged")),
        (second, {"Namespace": "unchanged", "ConfigMap": "changed", "Secret": "changed"}),
        (second, dict.fromkeys(("Namespace", "ConfigMap", "Secret"), "unchanged")),
        (second[:2], {"Namespace": "unchanged", "ConfigMap": "unchanged", "Secret": "deleted"}),
        (second[:2], {"Namespace": "unchanged", "ConfigMap": "unchanged"}),
        ([], {"Namespace": "deleted", "ConfigMap": "deleted"}),
        ([], {}),
    ]
    for objects, expected in steps:
        for check in (True, False):
            report = platform.apply(objects, prune=True, check=check, diff=True, wait_timeout=60)
            found = {one.key.kind: one.status for one in report.outcomes}
            assert (found, report.problem) == (expected, "")
            changed = any(status != "unchanged" for status in expected.values())
            assert report.result()["changed"] is changed
    assert not exists(api, f"/api/v1/namespaces/{platform.namespace}")


def test_the_difference_shows_what_we_apply_and_no_secret(platform: Platform) -> None:
    objects = [platform.space(), platform.config(a="1", b="2"), platform.secret(key="very-secret")]
    platform.apply(objects)
    objects = [platform.space(), platform.config(a="1", c="3"), platform.secret(key="new-secret")]
    report = platform.apply(objects, diff=True)
    config, secret = sorted(report.result()["diff"], key=lambda one: one["before_header"])
    assert config["before_header"] == f"ConfigMap {platform.namespace}/settings"
    assert "b: '2'" in config["before"]
    assert "c: '3'" in config["after"]
    assert "creationTimestamp" not in config["after"]
    assert "key: '***'" in secret["before"]
    assert "key: '*** (differs)'" in secret["after"]
    assert "secret" not in secret["after"].replace("Secret", "").replace("kind: ", "")


def test_a_mistake_is_named_and_what_is_good_stays(platform: Platform, api: Api) -> None:
    wrong = platform.config("wrong", colour="red")
    wrong["dat"] = {"colour": "red"}
    late = platform.deployment(imagePullPolicy="Sometimes")
    good = platform.deployment("good")
    objects = [platform.space(), platform.config(colour="red"), wrong, late, good]
    report = platform.apply(objects)
    assert statuses(report) == {
        f"Namespace {platform.namespace}": "created",
        "ConfigMap settings": "created",
        "ConfigMap wrong": "failed",
        "Deployment server": "failed",
        "Deployment good": "skipped",
    }
    assert "2 of 5 objects were refused" in report.problem
    assert f"ConfigMap {platform.namespace}/wrong: " in report.problem
    assert ".dat: field not declared in schema" in report.problem
    assert "imagePullPolicy" in report.problem
    assert not exists(api, platform.path("deployments", "good", "apps/v1"))

    repeated = platform.apply([platform.space(), platform.config(colour="red"), good])
    assert set(statuses(repeated).values()) == {"unchanged", "created"}
    assert exists(api, platform.path("deployments", "good", "apps/v1"))


def test_a_conflict_names_field_and_manager_and_changes_nothing(
    platform: Platform, api: Api
) -> None:
    platform.apply([platform.space(), platform.deployment(replicas=1), platform.config(a="1")])
    path = platform.path("deployments", "server", "apps/v1")
    as_another(api, path, {"spec": {"replicas": 5}}, "somebody")
    wanted = [platform.space(), platform.deployment(replicas=2), platform.config(a="1")]
    report = platform.apply(wanted)
    (failed,) = [one for one in report.outcomes if one.status == "failed"]
    assert [(one.field, one.manager) for one in failed.conflicts] == [
        (".spec.replicas", "somebody")
    ]
    assert "take_ownership" in report.problem
    assert api.get(path)["spec"]["replicas"] == 5

    row = {"kind": "Deployment", "namespace": platform.namespace, "name": "server"}
    other_field = [{**row, "fields": [".spec.paused"]}]
    assert platform.apply(wanted, take_ownership=other_field).problem
    report = platform.apply(wanted, take_ownership=[{**row, "fields": [".spec.replicas"]}])
    assert not report.problem
    assert api.get(path)["spec"]["replicas"] == 2
    assert set(statuses(platform.apply(wanted)).values()) == {"unchanged"}


def test_fields_of_others_are_neither_a_change_nor_drift(platform: Platform, api: Api) -> None:
    deployment = platform.deployment()
    del deployment["spec"]["replicas"]
    objects = [platform.space(), deployment]
    platform.apply(objects)
    path = platform.path("deployments", "server", "apps/v1")
    as_another(api, path, {"spec": {"replicas": 7}}, "autoscaler")
    as_another(api, path, {"metadata": {"annotations": {"seen": "yes"}}}, "controller")
    report_status(api, path, {"replicas": 7, "observedGeneration": 2})
    assert set(statuses(platform.apply(objects, diff=True)).values()) == {"unchanged"}
    live = api.get(path)
    assert live["spec"]["replicas"] == 7
    assert live["metadata"]["annotations"]["seen"] == "yes"


def test_what_somebody_removed_comes_back(platform: Platform, api: Api) -> None:
    objects = [platform.space(), platform.config(a="1", b="2")]
    platform.apply(objects)
    path = platform.path("configmaps", "settings")
    as_another(api, path, {"data": {"b": None}}, "somebody")
    assert statuses(platform.apply(objects))["ConfigMap settings"] == "changed"
    assert api.get(path)["data"] == {"a": "1", "b": "2"}


def test_a_field_that_is_no_longer_wanted_goes(platform: Platform, api: Api) -> None:
    platform.apply([platform.space(), platform.config(a="1", b="2")])
    platform.apply([platform.space(), platform.config(a="1")])
    assert api.get(platform.path("configmaps", "settings"))["data"] == {"a": "1"}


def test_two_platforms_do_not_take_an_object_from_each_other(
    platform: Platform, other: Platform
) -> None:
    platform.apply([platform.space(), platform.config(a="1")])
    report = other.apply([platform.config(a="1")])
    assert "inferencebox.io/platform belongs to inferencebox-" + platform.name in report.problem
    assert set(statuses(platform.apply([platform.config(a="1")])).values()) == {"unchanged"}


def test_pruning_leaves_alone_what_is_not_ours(
    platform: Platform, other: Platform, api: Api
) -> None:
    platform.apply([platform.space(), platform.config("mine")])
    theirs = {**other.config("theirs"), "metadata": {"name": "theirs", "namespace": platform.name}}
    other.apply([theirs])
    mine = api.get(platform.path("configmaps", "mine"))
    # What a controller derives often carries the labels of what it was derived from.
    copied = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "derived", "labels": mine["metadata"]["labels"]},
    }
    collection = f"/api/v1/namespaces/{platform.namespace}/configmaps"
    answer = api._client.post(collection, params={"fieldManager": "controller"}, json=copied)
    assert answer.status_code == httpx.codes.CREATED
    report = platform.apply([platform.space()], prune=True, wait_timeout=30)
    assert statuses(report) == {
        f"Namespace {platform.name}": "unchanged",
        "ConfigMap mine": "deleted",
    }
    assert exists(api, platform.path("configmaps", "theirs"))
    assert exists(api, platform.path("configmaps", "derived"))


def test_pruning_a_part_leaves_the_other_parts(platform: Platform) -> None:
    platform.apply([platform.space()], part="tenants")
    platform.apply([platform.config("a"), platform.config("b")], part="models")
    report = platform.apply([platform.config("a")], part="models", prune=True, wait_timeout=30)
    assert statuses(report) == {"ConfigMap a": "unchanged", "ConfigMap b": "deleted"}
    # Everything at once, as a comparison does it: the parts stay.
    report = platform.apply([platform.space(), platform.config("a")])
    assert set(statuses(report).values()) == {"unchanged"}


def test_what_holds_a_deleted_object_is_named(platform: Platform, api: Api) -> None:
    held = platform.config("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    platform.apply([platform.space(), held])
    report = platform.apply([platform.space()], prune=True, wait_timeout=_SECONDS)
    assert "held by example.com/hold" in report.problem
    path = platform.path("configmaps", "held")
    as_another(api, path, {"metadata": {"finalizers": None}}, "controller")
    assert not platform.apply([platform.space()], prune=True, wait_timeout=30).problem


def definition(group: str) -> Object:
    """A kind of the tests' own, with one rule that only the server's CEL can check."""
    spec = {
        "type": "object",
        "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}},
        "x-kubernetes-validations": [
            {"rule": "self.low <= self.high", "message": "low is above high"}
        ],
    }
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"ranges.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Range", "plural": "ranges"},
            "versions": [version],
        },
    }


def test_a_kind_and_its_objects_go_in_one_run(platform: Platform, api: Api) -> None:
    group = f"{platform.name}.example.com"
    one: Object = {
        "apiVersion": f"{group}/v1",
        "kind": "Range",
        "metadata": {"name": "good", "namespace": platform.namespace},
        "spec": {"low": 1, "high": 2},
    }
    objects = [one, definition(group), platform.space()]
    # In check mode on a cluster that knows neither the namespace nor the kind.
    assert set(statuses(platform.apply(objects, check=True)).values()) == {"created"}
    assert set(statuses(platform.apply(objects)).values()) == {"created"}
    assert set(statuses(platform.apply(objects)).values()) == {"unchanged"}

    bad = {**one, "metadata": {**one["metadata"], "name": "bad"}, "spec": {"low": 2, "high": 1}}
    assert "low is above high" in platform.apply([bad], check=True).problem

    kept = platform.apply([platform.space()], prune=True, wait_timeout=30)
    found = statuses(kept)
    assert found["Range good"] == "deleted"
    assert found[f"CustomResourceDefinition ranges.{group}"] == "kept"
    assert exists(api, f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ranges.{group}")


def test_everything_that_is_no_object_is_named_before_anything_changes(
    platform: Platform, api: Api
) -> None:
    homeless = platform.config("homeless")
    del homeless["metadata"]["namespace"]
    twice = platform.config("twice")
    unknown = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "thing"}}
    foreign = platform.config("foreign")
    foreign["metadata"]["labels"] = {"inferencebox.io/platform": "somebody"}
    objects = [platform.space(), homeless, twice, twice, unknown, foreign, {"kind": "Secret"}]
    with pytest.raises(ClusterError) as caught:
        platform.apply(objects)
    text = str(caught.value)
    assert "objects[1]: ConfigMap homeless: a ConfigMap needs metadata.namespace" in text
    assert f"objects[3]: ConfigMap {platform.namespace}/twice is there twice" in text
    assert "objects[4]: Thing thing: the cluster does not serve example.com/v1 Thing" in text
    assert "label inferencebox.io/platform is 'somebody'" in text
    assert "objects[6]: not an object" in text
    assert not exists(api, f"/api/v1/namespaces/{platform.namespace}")


def test_check_mode_works_before_anything_is_installed(platform: Platform) -> None:
    """As when the roles before it were in check mode, too: no namespace, no controller's kinds."""
    group = f"{platform.name}.example.com"
    metadata = {"name": "one", "namespace": platform.namespace}
    objects = [
        platform.config(a="1"),
        {"apiVersion": f"{group}/v1", "kind": "Range", "metadata": metadata, "spec": {}},
    ]
    report = platform.apply(objects, check=True, diff=True, wait_timeout=_SECONDS, prune=True)
    assert statuses(report) == {"ConfigMap settings": "created", "Range one": "created"}
    assert [one.message.partition(":")[0] for one in report.outcomes] == ["not tried"] * 2
    with pytest.raises(ClusterError, match="does not serve"):
        platform.apply(objects)
    misspelt = {"apiVersion": "apps/v1", "kind": "Deploiment", "metadata": metadata}
    with pytest.raises(ClusterError, match="does not serve apps/v1 Deploiment"):
        platform.apply([misspelt], check=True)


def test_waiting_ends_with_the_cause(platform: Platform, api: Api) -> None:
    objects = [platform.space(), platform.deployment()]
    report = platform.apply(objects, wait_timeout=_SECONDS)
    assert f"Deployment {platform.namespace}/server: " in report.problem
    assert "has not seen this version yet" in report.problem

    path = platform.path("deployments", "server", "apps/v1")
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
    report_status(api, path, status)
    pod = platform.deployment()["spec"]["template"]
    pod = {**pod, "metadata": {"name": "server-1", **pod["metadata"]}}
    pods = f"/api/v1/namespaces/{platform.namespace}/pods"
    assert api._client.post(pods, json=pod).status_code == httpx.codes.CREATED
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    container = {"name": "main", "state": {"waiting": waiting}, "ready": False}
    container |= {"image": "x", "imageID": "", "restartCount": 0}
    report_status(api, f"{pods}/server-1", {"containerStatuses": [container]})
    report = platform.apply(objects, wait_timeout=_SECONDS)
    assert "1 of 1 replicas are new, 0 available" in report.problem
    assert "pod server-1: container main ImagePullBackOff: no such image" in report.problem

    report_status(api, path, {**status, "availableReplicas": 1, "readyReplicas": 1})
    report = platform.apply(objects, wait_timeout=_SECONDS)
    assert "none of its pods is ready" in report.problem

    ready = {"type": "Ready", "status": "True"}
    report_status(api, f"{pods}/server-1", {"conditions": [ready]})
    assert not platform.apply(objects, wait_timeout=30).problem


def test_waiting_ends_early_when_the_object_says_that_it_is_of_no_use(
    platform: Platform, api: Api
) -> None:
    objects = [platform.space(), platform.deployment()]
    platform.apply(objects)
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    path = platform.path("deployments", "server", "apps/v1")
    report_status(api, path, {"observedGeneration": 1, "conditions": [condition]})
    # The time is far longer than any test run: only the verdict can end it.
    report = platform.apply(objects, wait_timeout=24 * 3600)
    assert "cannot become ready" in report.problem
    assert "ReplicaFailure=True FailedCreate: exceeded quota" in report.problem


def test_a_quota_is_counted_before_the_wait_is_over(platform: Platform, api: Api) -> None:
    quota: Object = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "all", "namespace": platform.namespace},
        "spec": {"hard": {"pods": "10", "requests.cpu": "4"}},
    }
    assert not platform.apply([platform.space(), quota], wait_timeout=120).problem
    live = api.get(platform.path("resourcequotas", "all"))
    assert live["status"]["hard"] == {"pods": "10", "requests.cpu": "4"}
