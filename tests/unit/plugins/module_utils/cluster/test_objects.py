# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects before any request: labels, mistakes, masks."""

from __future__ import annotations

import base64
import copy
import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import (
    Owner,
    masked,
    prepare,
    secret_values,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

Object = dict[str, t.Any]
OWNER = Owner("demo", "models")
KINDS = [
    Resource("", "v1", "Namespace", "namespaces", namespaced=False),
    Resource("", "v1", "Secret", "secrets", namespaced=True),
    Resource("apps", "v1", "Deployment", "deployments", namespaced=True),
]


def resources() -> Resources:
    return Resources({(kind.api_version, kind.kind): kind for kind in KINDS})


def secret(**content: t.Any) -> Object:
    metadata = {"name": "s", "namespace": "n"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **content}


def test_every_object_gets_the_owners_labels_and_keeps_its_own() -> None:
    one = secret()
    one["metadata"]["labels"] = {"app": "x"}
    before = copy.deepcopy(one)
    (made,) = prepare([one], resources(), OWNER)
    assert made.body["metadata"]["labels"] == {
        "app": "x",
        "app.kubernetes.io/managed-by": "inferencebox",
        "inferencebox.io/platform": "demo",
        "inferencebox.io/part": "models",
    }
    assert one == before
    assert made.path == "/api/v1/namespaces/n/secrets/s"


def test_text_of_a_secret_is_written_as_the_server_keeps_it() -> None:
    (made,) = prepare([secret(stringData={"a": "ä"}, data={"b": "Yg=="})], resources(), OWNER)
    assert "stringData" not in made.body
    assert made.body["data"] == {"a": base64.b64encode("ä".encode()).decode(), "b": "Yg=="}


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({}, "not an object"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {}}, "Secret without metadata.name"),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}},
            "Secret s: a Secret needs metadata.namespace",
        ),
        (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "s", "namespace": "n"}},
            "Namespace n/s: a Namespace belongs to no namespace",
        ),
        (
            {"apiVersion": "apps/v2", "kind": "Deployment", "metadata": {"name": "s"}},
            "does not serve apps/v2 Deployment. It serves v1.",
        ),
        (
            secret(metadata={"name": "s", "labels": {"inferencebox.io/platform": "other"}}),
            "needs metadata.namespace",
        ),
        ({"kind": "CustomResourceDefinition"}, "not a complete CustomResourceDefinition"),
    ],
)
def test_a_mistake_is_named(one: Object, message: str) -> None:
    with pytest.raises(ClusterError) as caught:
        prepare([one], resources(), OWNER)
    assert message in str(caught.value)


def test_a_definition_makes_its_kind_known() -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True}, {"name": "v0", "served": False}],
        },
    }
    kinds = resources()
    kinds.add_definition(crd)
    found = kinds.find("example.com/v1", "Thing")
    assert found is not None
    assert found.path("", "a") == "/apis/example.com/v1/things/a"
    assert kinds.find("example.com/v0", "Thing") is None


def test_check_mode_takes_a_group_that_nobody_serves_yet_but_no_misspelt_kind() -> None:
    metadata = {"name": "a", "namespace": "n"}
    absent = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": metadata}
    (made,) = prepare([absent], resources(), OWNER, check=True)
    assert made.resource.plural == ""
    misspelt = {"apiVersion": "apps/v1", "kind": "Deploiment", "metadata": metadata}
    with pytest.raises(ClusterError, match="does not serve"):
        prepare([misspelt], resources(), OWNER, check=True)


def test_a_mask_hides_values_and_tells_which_differ() -> None:
    one = secret(data={"a": "MQ==", "b": "Mg=="}, stringData={"c": "3"})
    other = secret(data={"a": "MQ==", "b": "NA=="}, stringData={"c": "3"})
    shown = masked(one, other)
    assert shown["data"] == {"a": "***", "b": "*** (differs)"}
    assert shown["stringData"] == {"c": "***"}
    assert one["data"]["a"] == "MQ=="


def test_only_secrets_are_masked() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}
    foreign = {"apiVersion": "example.com/v1", "kind": "Secret", "data": {"a": "1"}}
    assert masked(config) == config
    assert masked(foreign) == foreign


def test_values_are_known_written_and_decoded() -> None:
    one = secret(
        data={"a": base64.b64encode(b"clear").decode(), "b": "/w=="}, stringData={"c": "x"}
    )
    assert set(secret_values([one, {"kind": "ConfigMap", "data": {"d": "4"}}])) == {
        base64.b64encode(b"clear").decode(),
        "clear",
        "/w==",
        "x",
    }


def test_a_platform_is_its_own_field_manager() -> None:
    assert Owner("a").manager != Owner("b").manager
    assert Owner("a", "x").manager == Owner("a", "y").manager
    assert "inferencebox.io/part" not in Owner("a", "x").platform_selector
