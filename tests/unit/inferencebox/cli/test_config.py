# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox config`` on inventories that Ansible itself cannot read."""

from __future__ import annotations

import json
from pathlib import Path

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
