# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox config`` on inventories that Ansible itself cannot read."""

from __future__ import annotations

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
