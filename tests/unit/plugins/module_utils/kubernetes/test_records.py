# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an installed platform says of itself, and who vouches for its callers."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    Callers,
    records,
)

from inferencebox.cli.config import load_inventory
from tests.behaviour.platform_json import Platform as Described

from . import sample

_PLACE = records.Place(["/usr/bin/inferencebox"], "192.0.2.7", "PEM", "/srv/kubeconfig", "admin")


def test_the_behaviour_suite_reads_it(root: Path, tmp_path: Path) -> None:
    platform = load_inventory(str(root / "inventories/existing"))
    file = tmp_path / "platform.json"
    file.write_text(json.dumps(records.description(platform, _PLACE)))
    described = Described.read(file)
    assert described.target == "kubernetes"
    assert set(described.models) == {model.name for model in platform.models}
    assert described.token_command[-2:] == ("token", "{tenant}")


@pytest.mark.parametrize(
    ("inventory", "found", "connect_to"),
    [
        ("127.0.0.1", "192.0.2.7", "127.0.0.1:8443"),
        ("0.0.0.0", "192.0.2.7", "192.0.2.7:8443"),
        ("0.0.0.0", "2001:db8::7", "[2001:db8::7]:8443"),
        ("::", "lb.example.org", "lb.example.org:8443"),
    ],
)
def test_where_callers_connect(inventory: str, found: str, connect_to: str) -> None:
    gateway = {"address": inventory, "https_port": 8443}
    cluster = {"service_type": "LoadBalancer"}
    variables = {
        **to_vars(sample.small()),
        "platform_gateway": gateway,
        "platform_cluster": cluster,
    }
    place = records.Place(["cli"], found)
    assert records.description(load(variables), place)["connect_to"] == connect_to


def test_an_edge_without_address_is_reached_by_its_name() -> None:
    gateway = {"address": "0.0.0.0", "https_port": 8443}
    cluster = {"service_type": "LoadBalancer"}
    variables = {
        **to_vars(sample.small()),
        "platform_gateway": gateway,
        "platform_cluster": cluster,
    }
    platform = load(variables)
    described = records.description(platform, records.Place(["cli"]))
    assert described["connect_to"] == f"gateway.{platform.domain}:8443"


def test_the_files_of_its_home() -> None:
    platform = sample.small()
    rows = {row["path"].removeprefix(platform.home): row for row in records.files(platform, _PLACE)}
    assert set(rows) == {"/state/inventory.json", "/platform.json", "/pki/ca.crt"}
    assert rows["/state/inventory.json"]["mode"] == "0600"
    assert load(json.loads(rows["/state/inventory.json"]["content"])) == platform
    without = records.files(platform, records.Place(["cli"]))
    assert not any(row["path"].endswith("ca.crt") for row in without)


def test_keys_of_issuers_and_of_tenants_that_are_left() -> None:
    platform = sample.small()
    tenant = platform.tenants[0].name
    keys = [{"id": "one", "tenant": tenant}, {"id": "key-of-who-left", "tenant": "left"}]
    jwks: dict[str, dict[str, t.Any]] = {"builtin": {"keys": []}, "keys": {"keys": []}}
    callers = Callers.of(platform, jwks, keys, {"corp": "PEM"})
    assert [key.id for key in callers.keys] == ["one"]
    made = kubernetes.objects(platform, "gateway", callers)
    maps = {one["metadata"]["name"]: one for one in made if one["kind"] == "ConfigMap"}
    assert {"issuer-builtin", "issuer-keys", "issuer-corp-ca"} <= set(maps)
    assert maps["issuer-corp-ca"]["data"] == {"ca.crt": "PEM"}
    assert json.loads(maps["issuer-builtin"]["data"]["jwks"]) == {"keys": []}
    assert "key-of-who-left" not in json.dumps(made)
