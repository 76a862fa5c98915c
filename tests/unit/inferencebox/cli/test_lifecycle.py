# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox up``, ``down`` and ``clean``: what Ansible is asked for, and what is said at the end."""

from __future__ import annotations

import json
import os
import shlex
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inferencebox.cli import lifecycle
from inferencebox.cli._home import read_home
from inferencebox.cli._runner import Outcome

from .conftest import Cli, write_platform


@dataclass
class Ansible:
    """What was asked of Ansible, which is not run, and what it answers."""

    outcome: Outcome
    asked: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def run(
        self,
        name: str,
        *,
        inventory: str,
        options: t.Sequence[str] = (),
        verbose: bool = False,
        diff: bool = False,
    ) -> Outcome:
        self.asked.append((name, inventory, list(options)))
        assert not verbose
        assert diff == ("--diff" in options)
        return self.outcome


@pytest.fixture
def ansible(monkeypatch: pytest.MonkeyPatch) -> Ansible:
    made = Ansible(Outcome(changed=3, seconds=12.34))
    monkeypatch.setattr(lifecycle, "run_playbook", made.run)
    return made


def test_up_passes_what_ansible_users_know(cli: Cli, ansible: Ansible) -> None:
    options = ("--check", "--diff", "--tags", "mesh", "--limit", "box", "-e", "a=1", "-e", "@f.yml")
    result = cli("up", "-i", "inventories/mine", *options)
    assert result.code == 0
    assert result.out == "3 changes would be made, 12.3 s\n"
    ((name, inventory, asked),) = ansible.asked
    assert (name, inventory) == ("site", "inventories/mine")
    assert asked == [
        *("-e", "a=1", "-e", "@f.yml"),
        *("--check", "--diff", "--tags", "mesh", "--limit", "box"),
    ]


@pytest.mark.parametrize(
    ("changed", "said"), [(0, "nothing to change"), (1, "up, 1 change"), (2, "up, 2 changes")]
)
def test_up_ends_with_what_it_did_and_what_next(
    cli: Cli, ansible: Ansible, home: Path, changed: int, said: str
) -> None:
    ansible.outcome = Outcome(changed=changed, seconds=1.0, home=home)
    lines = cli("up").out.splitlines()
    assert lines[0] == f"{said}, 1.0 s"
    assert lines[2] == "demo is up at https://gateway.inference.localhost:8443 (local target)"
    assert "  tenant-a: iris, smollm2" in lines
    assert any(line.endswith(" token tenant-a") for line in lines)
    assert any(line.endswith(" status") for line in lines)
    assert ansible.asked[0][1].endswith("inventories/local")


def test_up_names_what_the_platform_does_without(home: Path) -> None:
    (home / "state/prometheus.json").write_text('{"reason": "only root may install it"}')
    said = lifecycle.summary(read_home(home))
    assert "  no Prometheus: only root may install it\n" in said
    assert ("  not there without root:" in said) == (os.geteuid() != 0)
    (home / "state/prometheus.json").write_text('{"reason": null}')
    assert "Prometheus" not in lifecycle.summary(read_home(home))


def test_an_inventory_may_come_from_the_environment(
    cli: Cli, ansible: Ansible, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERENCEBOX_INVENTORY", "inventories/other")
    assert cli("up").code == 0
    assert ansible.asked[0][1] == "inventories/other"


@pytest.mark.parametrize(
    ("command", "playbook", "done", "nothing"),
    [
        (["down"], "down", "stopped", "nothing was running"),
        (["clean", "--yes"], "uninstall", "removed", "nothing to remove"),
    ],
)
def test_down_and_clean_take_what_was_applied(
    cli: Cli,
    ansible: Ansible,
    home: Path,
    command: list[str],
    playbook: str,
    done: str,
    nothing: str,
) -> None:
    assert cli(*command).out == f"{done}, 12.3 s\n"
    ((name, inventory, options),) = ansible.asked
    assert (name, inventory) == (playbook, "localhost,")
    assert options[:2] == ["-e", f"@{home}/state/inventory.json"]
    assert json.loads(options[3])["platform_home"] == str(home)
    ansible.outcome = Outcome(changed=0, seconds=0.5)
    assert cli(*command).out == f"{nothing}, 0.5 s\n"


def test_with_an_inventory_that_one_is_meant(cli: Cli, ansible: Ansible, home: Path) -> None:
    assert home.exists()
    assert cli("down", "-i", "inventories/mine", "-e", "a=1").code == 0
    assert ansible.asked == [("down", "inventories/mine", ["-e", "a=1"])]


def test_among_several_platforms_the_default_inventory_is_meant(
    cli: Cli, ansible: Ansible, home: Path
) -> None:
    write_platform(home.parent / "other", name="other")
    assert cli("down").code == 0
    assert ansible.asked[0][1].endswith("inventories/local")
    assert cli("down", "--platform", "other").code == 0
    assert f"@{home.parent}/other/state/inventory.json" in ansible.asked[1][2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "state/inventory.json: No such file"),
        ("{", "state/inventory.json is damaged"),
        ("[]", "state/inventory.json is damaged"),
    ],
)
def test_what_was_applied_must_be_there_to_be_named(
    cli: Cli, ansible: Ansible, home: Path, content: str | None, said: str
) -> None:
    applied = home / "state/inventory.json"
    applied.unlink() if content is None else applied.write_text(content)
    result = cli("down", "--home", str(home))
    assert result.code == 1
    assert said in result.err
    assert ansible.asked == []


def test_a_platform_without_its_description_can_still_be_stopped(
    cli: Cli, ansible: Ansible, home: Path
) -> None:
    (home / "platform.json").unlink()
    assert cli("down", "--home", str(home)).code == 0
    assert f"@{home}/state/inventory.json" in ansible.asked[0][2]


def test_the_curl_command_is_one_that_a_shell_reads(home: Path) -> None:
    words = shlex.split(lifecycle.curl(read_home(home), "tenant-a", "iris"))
    assert words[:3] == ["curl", "--cacert", str(home / "pki/ca.crt")]
    assert words[3:5] == ["--resolve", "gateway.inference.localhost:8443:127.0.0.1"]
    assert words[-1] == "https://gateway.inference.localhost:8443/v1/models/iris:predict"
    assert json.loads(words[words.index("-d") + 1]) == {"instances": [[5.1, 3.5, 1.4, 0.2]]}


@pytest.mark.parametrize(
    ("connect_to", "option", "value"),
    [
        ("[::1]:8443", "--resolve", "gateway.inference.localhost:8443:[::1]"),
        (
            "192.0.2.7:9443",
            "--connect-to",
            "gateway.inference.localhost:8443:192.0.2.7:9443",
        ),
        ("[::1]:9443", "--connect-to", "gateway.inference.localhost:8443:[::1]:9443"),
    ],
)
def test_curl_goes_where_the_platform_listens(
    home: Path, connect_to: str, option: str, value: str
) -> None:
    description = json.loads((home / "platform.json").read_text())
    (home / "platform.json").write_text(json.dumps({**description, "connect_to": connect_to}))
    words = shlex.split(lifecycle.curl(read_home(home), "tenant-a", "iris"))
    assert words[words.index(option) + 1] == value


def test_the_command_is_one_that_works_from_anywhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = read_home(home)
    program = Path(sys.executable).with_name("inferencebox")
    assert lifecycle.command_for(place) == str(program)
    elsewhere = read_home(write_platform(tmp_path / "else where"))
    assert lifecycle.command_for(elsewhere).startswith(f"INFERENCEBOX_HOME='{tmp_path}/else where'")
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3.99")
    python, folder = shlex.split(lifecycle.command_for(place))
    assert python == "/usr/bin/python3.99"
    assert Path(folder, "__main__.py").is_file()
