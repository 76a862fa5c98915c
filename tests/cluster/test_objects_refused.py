# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""That the check of objects bites: rendered objects with one mistake each, and the server's answer."""

from __future__ import annotations

import copy
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api, connect
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import RefusedError

from tests.cluster.conftest import random_name
from tests.cluster.steps import Object, Platform
from tests.unit.plugins.module_utils.kubernetes import sample

_TABLE: list[dict[str, t.Any]] = yaml.safe_load(
    Path(__file__).with_name("wrong_objects.yml").read_text()
)
_ENOUGH = 60


def _title(row: dict[str, t.Any]) -> str:
    return f"{row['base'].partition(' ')[0]}:{'.'.join(map(str, row['at']))}"


@pytest.fixture(scope="module")
def bases() -> dict[str, Object]:
    found = kubernetes.objects(sample.full())
    return {f"{one['kind']} {one['metadata']['name']}": one for one in found}


class Cluster:
    """Tries objects in a namespace that stands for all others."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._resources = Resources.of(api)

    def serves(self, one: Object) -> bool:
        return self._resources.find(one["apiVersion"], one["kind"]) is not None

    def answer(self, one: Object) -> str:
        """The server's refusal; empty where it takes the object."""
        resource = self._resources.find(one["apiVersion"], one["kind"])
        assert resource is not None
        namespace = self._namespace if resource.namespaced else ""
        body = {**one, "metadata": {**one["metadata"]}}
        if namespace:
            body["metadata"]["namespace"] = namespace
        path = resource.path(namespace, body["metadata"]["name"])
        try:
            self._api.apply(path, body, "tests", dry_run=True, force=False)
        except RefusedError as error:
            return str(error)
        return ""


@pytest.fixture(scope="module")
def cluster(defined: str) -> t.Iterator[Cluster]:
    platform = Platform(random_name(), defined)
    assert not platform.apply([platform.space()]).problem
    with connect(defined) as api:
        yield Cluster(api, platform.namespace)
    platform.remove()


def changed(base: Object, at: list[str | int], put: t.Any) -> Object:
    """Copy an object with something else, or nothing, at one place."""
    copied = copy.deepcopy(base)
    place: t.Any = copied
    for step in at[:-1]:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    if put is None:
        del place[at[-1]]
    else:
        place[at[-1]] = put
    return copied


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len(_TABLE) >= _ENOUGH
    rows = [(row["base"], tuple(row["at"]), str(row.get("put"))) for row in _TABLE]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("row", _TABLE, ids=_title)
def test_a_wrong_object_is_refused(
    row: dict[str, t.Any], bases: dict[str, Object], cluster: Cluster
) -> None:
    base = bases[row["base"]]
    if not cluster.serves(base):
        pytest.skip(f"the cluster does not serve {base['apiVersion']} {base['kind']}")
    answer = cluster.answer(changed(base, row["at"], row.get("put")))
    assert row["says"] in answer


@pytest.mark.parametrize("name", sorted({row["base"] for row in _TABLE}))
def test_without_the_mistake_it_is_accepted(
    name: str, bases: dict[str, Object], cluster: Cluster
) -> None:
    base = bases[name]
    if not cluster.serves(base):
        pytest.skip(f"the cluster does not serve {base['apiVersion']} {base['kind']}")
    assert cluster.answer(base) == ""
