# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox config`` on inventories that Ansible itself cannot read."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from .conftest import Cli


def test_a_file_that_is_no_yaml_is_named_with_its_line(cli: Cli, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    broken = inventory / "group_vars/all.yml"
    broken.parent.mkdir(parents=True)
    (inventory / "hosts.yml").write_text("all: {hosts: {localhost: }}\n")
    broken.write_text("tenants: []\nmodels: [\n")
    result = cli("config", "validate", "-i", str(inventory))
    assert result.code == 2
    assert "YAML parsing failed" in result.err
    assert f"{broken}:3" in result.err


def test_an_inventory_that_is_not_there_is_said_to_be_so(cli: Cli, tmp_path: Path) -> None:
    result = cli("config", "validate", "-i", str(tmp_path / "nowhere"))
    assert result.code == 2
    assert "there is no inventory" in result.err


def test_the_shipped_cluster_inventories_have_no_findings(cli: Cli, root: Path) -> None:
    for name in ("existing", "kind"):
        result = cli("config", "lint", "-i", str(root / "inventories" / name))
        assert result.code == 0, result.out
        assert result.out.strip().endswith("0 findings")


def test_lint_names_what_others_add_in_vain(cli: Cli, root: Path, tmp_path: Path) -> None:
    added = tmp_path / "added.yml"
    added.write_text(
        "kind: SecurityPolicy\n"
        "metadata: {name: mine, namespace: inferencebox-system}\n"
        "spec: {targetRefs: [{kind: HTTPRoute, name: nothing}]}\n"
    )
    command = ("config", "lint", str(added), "-i", str(root / "inventories/existing"), "--json")
    result = cli(*command)
    assert result.code == 1
    (found,) = json.loads(result.out)["findings"]
    assert found["object"] == "SecurityPolicy inferencebox-system/mine"
    assert found["rule"] == "policy-without-target"


def test_lint_wants_objects(cli: Cli, root: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    for text in ("- a\n", "{", "kind: Secret\n"):
        wrong.write_text(text)
        result = cli("config", "lint", str(wrong), "-i", str(root / "inventories/existing"))
        assert result.code == 2
        assert str(wrong) in result.err


def test_a_valid_inventory_is_counted_and_shown_with_its_defaults(cli: Cli, root: Path) -> None:
    inventory = str(root / "inventories/local")
    result = cli("config", "validate", "-i", inventory)
    assert result.code == 0
    assert result.out.startswith(f"{inventory} is valid: platform ")
    shown = cli("config", "show", "-i", inventory, "--json").json
    said = cli("config", "validate", "-i", inventory, "--json").json
    assert said == {"valid": True, "inventory": inventory, "platform": shown["platform_name"]}
    assert shown["platform_gateway"]["max_request_bytes"] == 8388608
    assert yaml.safe_load(cli("config", "show", "-i", inventory).out) == shown


def test_what_show_prints_is_a_valid_inventory_of_the_same(
    cli: Cli, root: Path, tmp_path: Path
) -> None:
    first = cli("config", "show", "-i", str(root / "inventories/local")).out
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(first)
    (tmp_path / "hosts.yml").write_text("all: {hosts: {localhost: }}\n")
    assert cli("config", "show", "-i", str(tmp_path)).out == first


def test_every_mistake_is_named_with_its_path(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(
        "platform_name: demo\nplatform_target: local\nplatform_nam: x\n"
        "tenants: [{name: Tenant_A}]\nmodels: []\n"
    )
    (tmp_path / "hosts.yml").write_text("all: {hosts: {localhost: }}\n")
    for command in ("validate", "show"):
        result = cli("config", command, "-i", str(tmp_path))
        assert (result.code, result.out) == (2, "")
        assert "platform_nam: is not a known key" in result.err
        assert "tenants[0].name: is not a DNS label" in result.err


def test_a_host_that_is_not_there_names_those_that_are(cli: Cli, root: Path) -> None:
    result = cli("config", "validate", "-i", str(root / "inventories/local"), "--host", "nowhere")
    assert result.code == 2
    assert "no host 'nowhere'" in result.err
    assert "localhost" in result.err


def test_the_schema_is_the_one_of_the_documentation(cli: Cli, root: Path) -> None:
    kept = json.loads((root / "docs/reference/inventory.schema.json").read_text())
    assert cli("config", "schema").json == kept


def test_objects_are_a_list_for_kubectl(cli: Cli, root: Path) -> None:
    inventory = ("-i", str(root / "inventories/existing"))
    whole = cli("config", "objects", *inventory, "--json").json
    assert (whole["apiVersion"], whole["kind"]) == ("v1", "List")
    assert list(yaml.safe_load_all(cli("config", "objects", *inventory).out)) == whole["items"]
    part = cli("config", "objects", *inventory, "--part", "tenants", "--json").json["items"]
    assert part
    assert all(each in whole["items"] for each in part)
    assert len(part) < len(whole["items"])


def test_objects_are_of_a_cluster_and_of_a_part_that_there_is(cli: Cli, root: Path) -> None:
    local = cli("config", "objects", "-i", str(root / "inventories/local"))
    assert local.code == 2
    assert "is no cluster" in local.err
    unknown = cli("config", "objects", "--part", "tenant")
    assert unknown.code == 2
    assert "tenants" in unknown.err
