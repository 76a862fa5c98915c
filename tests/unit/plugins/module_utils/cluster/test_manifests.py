# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects out of files, and what is laid over them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import manifests
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

_FILE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: features, namespace: system}
data: {one: "1", two: "2"}
---
---
apiVersion: v1
kind: Namespace
metadata: {name: system}
"""


def test_files_are_read_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(_FILE)
    second.write_text("kind: Last\nallowed: [=, '!=']\n")
    found = manifests.read([str(first), str(second)])
    assert [one["kind"] for one in found] == ["ConfigMap", "Namespace", "Last"]
    assert found[2]["allowed"] == ["=", "!="]


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "is not YAML"), ("- 1", "no object"), ("a: 1", "no object")]
)
def test_a_file_of_something_else_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ClusterError, match=said) as caught:
        manifests.read([str(path)])
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ClusterError, match="/nowhere/at/all cannot be read"):
        manifests.read(["/nowhere/at/all"])


def test_mappings_are_merged_and_everything_else_replaced() -> None:
    below = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "n", "labels": {"kept": "yes"}},
        "data": {"one": "1", "list": [1, 2]},
    }
    over = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "n"},
        "data": {"two": "2", "list": [3]},
    }
    other = {**over, "metadata": {"name": "a", "namespace": "elsewhere"}}
    merged, added = manifests.overlaid([below], [over, other])
    assert merged["data"] == {"one": "1", "two": "2", "list": [3]}
    assert merged["metadata"]["labels"] == {"kept": "yes"}
    assert added == other
    assert below["data"] == {"one": "1", "list": [1, 2]}


def test_an_object_that_is_applied_elsewhere_is_left_out() -> None:
    one = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": {"b": "c"}}}
    other = {**one, "metadata": {"name": "b"}}
    gone = {**one, "metadata": {"name": "a"}, "$patch": "delete"}
    assert manifests.overlaid([one, other], [gone]) == [other]
    assert manifests.overlaid([other], [gone]) == [other]


def test_an_object_twice_in_the_files_counts_once_or_is_a_mistake() -> None:
    one = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    assert manifests.overlaid([one, dict(one)], []) == [one]
    other = {**one, "metadata": {"name": "a", "labels": {"b": "c"}}}
    with pytest.raises(ClusterError, match="Namespace a twice"):
        manifests.overlaid([one, other], [])


def test_images_are_asked_for_under_other_names_wherever_they_are_named() -> None:
    image, other = "r.example.org/a:1", "mirror/a:1"
    objects = [
        {"kind": "Pod", "spec": {"containers": [{"image": image, "args": [f"--of={image}"]}]}},
        {"kind": "ConfigMap", "data": {"sidecar": image, "else": "r.example.org/b:1"}},
    ]
    assert manifests.renamed(objects, {image: other}) == [
        {"kind": "Pod", "spec": {"containers": [{"image": other, "args": [f"--of={image}"]}]}},
        {"kind": "ConfigMap", "data": {"sidecar": other, "else": "r.example.org/b:1"}},
    ]
    assert manifests.renamed(objects, {}) == objects
