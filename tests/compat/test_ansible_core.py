# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The oldest and the newest Ansible that are supported: what a user of the collection's archive does with them.

In this order: look, install, look again, do parts of it, remove.
"""

from __future__ import annotations

import json
import re
import ssl
import typing as t

import httpx
import pytest
import yaml

from . import interpreters
from .driver import ROOT, SUITE, Driver, Play

PINS = re.compile(r"^ansible-core==(\S+) ; python_full_version (<|>=) '3\.12'", re.MULTILINE)
PLAYBOOKS = re.findall(r"import_playbook: (\w+)\.yml", (ROOT / "playbooks/site.yml").read_text())
# Playbooks of site.yml, in order, and the tags of their play.
TAGS: dict[str, list[str]] = {
    name: yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text())[0]["tags"]
    for name in PLAYBOOKS
}
PARTS = [name for name in PLAYBOOKS if TAGS[name] != ["always"]]


def supported() -> tuple[str, str]:
    """The versions that requirements/driver.txt pins, for Python 3.11 and for newer ones."""
    pins = PINS.findall((ROOT / "requirements/driver.txt").read_text(encoding="utf-8"))
    by_side = {side: version for version, side in pins}
    return by_side["<"], by_side[">="]


@pytest.fixture(scope="module", params=["oldest", "newest"])
def driver(request: pytest.FixtureRequest) -> t.Iterator[Driver]:
    """One end of the supported versions."""
    found = interpreters.found()
    if request.param == "oldest":
        minor = interpreters.OLDEST
        if minor not in found:
            pytest.skip(f"needs Python 3.{minor}, and this machine has none")
    else:
        minor = max(found)
        if minor == interpreters.OLDEST:
            pytest.skip("needs Python 3.12 or newer, and this machine has none")
    made = Driver(found[minor])
    yield made
    made.remove()


class Look(t.NamedTuple):
    """What --check said on a machine that has nothing of the platform, and what was there afterwards."""

    play: Play
    traces: list[str]


@pytest.fixture(scope="module")
def look(driver: Driver) -> Look:
    """A look before the installation."""
    return Look(driver.play("site", "--check", "--diff"), driver.traces())


@pytest.fixture(scope="module")
def up(driver: Driver, look: Look) -> Play:
    """The installation, after the look."""
    assert look.play.returncode == 0, look.play.end
    return driver.play("site")


def test_the_oldest_is_what_the_collection_demands() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    oldest, newest = supported()
    assert runtime["requires_ansible"] == f">={'.'.join(oldest.split('.')[:2])}.0"
    assert [int(part) for part in newest.split(".")[:2]] >= [2, 21]


def test_it_is_the_version_that_is_pinned(driver: Driver, request: pytest.FixtureRequest) -> None:
    version = driver.run(driver.bin / "ansible", "--version").stdout
    end = 0 if "oldest" in request.node.callspec.id else 1
    assert f"[core {supported()[end]}]" in version
    assert str(driver.bin.parent) in version


def test_the_syntax_is_right(driver: Driver) -> None:
    done = driver.play("site", "--syntax-check")
    assert done.returncode == 0, done.end
    assert str(driver.collections) in done.said, "another copy of the collection was found"


def test_check_succeeds_on_an_empty_machine(look: Look) -> None:
    assert look.play.returncode == 0, look.play.end
    assert look.play.hosts["localhost"]["failures"] == 0
    assert look.play.changed


def test_check_changes_nothing(look: Look) -> None:
    assert look.traces == []


def test_diff_shows_no_secret(look: Look) -> None:
    assert "PRIVATE KEY" not in look.play.said
    assert "Bearer ey" not in look.play.said


def test_site_installs_the_platform(driver: Driver, up: Play) -> None:
    assert up.returncode == 0, up.end
    states = json.loads((driver.home / "state/models.json").read_text(encoding="utf-8"))
    assert {name: state["ready"] for name, state in states.items()} == {
        "iris": True,
        "smollm2": True,
    }


def test_nothing_changed_that_was_not_foretold(look: Look, up: Play) -> None:
    assert set(up.changed) <= set(look.play.changed)


def test_no_warning_is_shown(look: Look, up: Play) -> None:
    shown = [
        line for play in (look.play, up) for line in play.said.splitlines() if "WARNING" in line
    ]
    assert shown == []


def test_the_gateway_answers(driver: Driver, up: Play) -> None:
    assert up.returncode == 0
    trusted = ssl.create_default_context(cafile=str(driver.home / "pki/ca.crt"))
    base_url = f"https://127.0.0.1:{driver.gateway}"
    with httpx.Client(base_url=base_url, verify=trusted) as client:
        assert client.get("/healthz").status_code == httpx.codes.OK
        assert client.get("/v1/models").status_code == httpx.codes.UNAUTHORIZED


def test_the_command_that_platform_json_names_gives_tokens_and_keys(
    driver: Driver, up: Play
) -> None:
    assert up.returncode == 0
    platform = json.loads((driver.home / "platform.json").read_text(encoding="utf-8"))
    command = platform["token_command"]
    assert str(driver.collections) in " ".join(command), "nothing but the archive is installed"
    token = driver.run(*(word.replace("{tenant}", "tenant-a") for word in command)).stdout.strip()
    before = command[: command.index("token")]
    made = driver.run(*before, "key", "create", "tenant-a", "--name", "ci", "--json")
    trusted = ssl.create_default_context(cafile=str(driver.home / "pki/ca.crt"))
    base_url = f"https://127.0.0.1:{driver.gateway}"
    with httpx.Client(base_url=base_url, verify=trusted) as client:
        for credential in (token, json.loads(made.stdout)["key"]):
            headers = {"authorization": f"Bearer {credential}"}
            answer = client.get("/v1/models", headers=headers)
            assert answer.status_code == httpx.codes.OK, answer.text
    driver.run(*before, "key", "revoke", "ci")


def test_verify_says_what_it_lacks_and_then_judges(driver: Driver, up: Play) -> None:
    assert up.returncode == 0
    lacking = driver.play("verify")
    assert lacking.returncode != 0
    assert all(package in lacking.said for package in SUITE), lacking.end
    driver.add_tools_of_the_suite()
    installed = set(driver.collections.rglob("*"))
    judged = driver.play("verify", "--extra-vars", "verify_only='test_health or test_identity'")
    assert judged.returncode == 0, judged.end
    assert re.search(r"[1-9]\d* passed", judged.said), judged.end
    assert set(driver.collections.rglob("*")) == installed


@pytest.mark.parametrize("options", [[], ["--check", "--diff"]], ids=["run", "check"])
def test_a_second_time_changes_nothing(driver: Driver, up: Play, options: list[str]) -> None:
    assert up.returncode == 0
    again = driver.play("site", *options)
    assert again.returncode == 0, again.end
    assert again.changed == []
    assert again.hosts["localhost"]["changed"] == 0


@pytest.mark.parametrize("tag", PARTS)
def test_a_tag_runs_its_part_and_the_checks_alone(driver: Driver, up: Play, tag: str) -> None:
    assert up.returncode == 0
    part = driver.play("site", "--tags", tag)
    assert part.returncode == 0, part.end
    assert part.changed == []
    assert part.ran == ["preflight", *(name for name in PARTS if tag in TAGS[name])]


def test_every_part_has_its_tag() -> None:
    assert PARTS
    assert all(name in TAGS[name] for name in PARTS)


def test_check_foretells_a_change_exactly(driver: Driver, up: Play) -> None:
    assert up.returncode == 0
    gateway = {"https_port": driver.gateway, "max_request_bytes": 65536}
    part = ("--tags", "ai_gateway")
    options = (*part, "--extra-vars", json.dumps({"platform_gateway": gateway}))
    said = driver.play("site", "--check", *options)
    done = driver.play("site", *options)
    assert (said.returncode, done.returncode) == (0, 0), said.end + done.end
    assert said.changed == done.changed
    assert done.changed
    assert driver.play("site", *part).changed == done.changed


def test_limit_leaves_other_hosts_alone(driver: Driver, up: Play) -> None:
    assert up.returncode == 0
    other = driver.inventory / "zz-other.yml"
    other.write_text(
        yaml.safe_dump({"all": {"hosts": {"elsewhere": {"ansible_host": "192.0.2.1"}}}})
    )
    try:
        limited = driver.play("site", "--limit", "localhost", "--tags", "cluster")
        nobody = driver.play("site", "--limit", "nowhere")
    finally:
        other.unlink()
    assert limited.returncode == 0, limited.end
    assert list(limited.hosts) == ["localhost"]
    assert limited.changed == []
    assert nobody.hosts == {}


def test_uninstall_leaves_nothing(driver: Driver, up: Play) -> None:
    assert up.returncode == 0
    gone = driver.play("uninstall")
    assert gone.returncode == 0, gone.end
    assert driver.traces() == []
    again = driver.play("uninstall")
    assert (again.returncode, again.changed) == (0, []), again.end
