# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which part of a live object is ours."""

from __future__ import annotations

import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import fields

Live = dict[str, t.Any]


def live(owned: dict[str, t.Any], **content: t.Any) -> Live:
    entry = {"manager": "me", "operation": "Apply", "fieldsV1": owned}
    others = {"manager": "me", "operation": "Update", "fieldsV1": {"f:spec": {"f:seen": {}}}}
    metadata = {"name": "n", "namespace": "s", "uid": "1", "managedFields": [others, entry]}
    return {"apiVersion": "v1", "kind": "Thing", "metadata": metadata, **content}


def test_only_fields_that_the_manager_applied_are_kept() -> None:
    found = fields.applied(
        live(
            {"f:spec": {"f:mine": {}, "f:map": {".": {}, "f:a": {}}}},
            spec={"mine": {"whole": [1]}, "map": {"a": 1, "b": 2}, "seen": True},
            status={"ready": True},
        ),
        "me",
    )
    assert found == {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"name": "n", "namespace": "s"},
        "spec": {"mine": {"whole": [1]}, "map": {"a": 1}},
    }


def test_items_are_found_by_key_and_stay_in_the_lists_order() -> None:
    owned = {
        "f:containers": {
            'k:{"name":"a"}': {".": {}, "f:name": {}, "f:image": {}},
            'k:{"name":"b"}': {".": {}, "f:name": {}},
        },
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}}},
        "f:finalizers": {'v:"mine"': {}},
    }
    content = {
        "containers": [
            {"name": "b", "image": "theirs"},
            {"name": "injected"},
            {"name": "a", "image": "x", "tty": True},
        ],
        "ports": [{"port": 80, "protocol": "UDP"}, {"port": 80, "protocol": "TCP"}],
        "finalizers": ["theirs", "mine"],
    }
    found = fields.applied(live({"f:spec": owned}, spec=content), "me")
    assert found is not None
    assert found["spec"] == {
        "containers": [{"name": "b"}, {"name": "a", "image": "x"}],
        "ports": [{"port": 80}],
        "finalizers": ["mine"],
    }


def test_a_field_that_somebody_removed_is_missing() -> None:
    found = fields.applied(live({"f:spec": {"f:a": {}, "f:b": {}}}, spec={"a": 1}), "me")
    assert found is not None
    assert found["spec"] == {"a": 1}


def test_what_a_manager_only_updated_is_not_its_own() -> None:
    one = live({}, spec={"seen": True})
    one["metadata"]["managedFields"].pop()
    assert fields.applied(one, "me") is None
    assert fields.is_applied(one, "me") is False
    assert fields.is_applied(live({}), "me") is True
    assert fields.is_applied(live({}), "other") is False


def test_a_status_that_was_applied_does_not_count() -> None:
    one = live({"f:status": {}}, status={"ready": True})
    one["metadata"]["managedFields"][1]["subresource"] = "status"
    assert fields.applied(one, "me") is None
