# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox key``: records on disk; whether the gateway follows, the behaviour suite sees."""

from __future__ import annotations

import hashlib
import json
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import identity

from inferencebox.cli import keys
from inferencebox.cli._output import CommandError

from .conftest import Cli

Json = dict[str, t.Any]


@pytest.fixture
def told(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Ids of the keys that are valid, each time the gateway is told; no playbook is run."""
    runs: list[list[str]] = []

    def run_playbook(name: str, *, inventory: str, options: t.Sequence[str]) -> None:
        assert (name, inventory) == ("keys", "localhost,")
        assert f"@{home}/state/inventory.json" in options
        runs.append([each.id for each in identity.active_keys(str(home / "identity"))])

    monkeypatch.setattr(keys, "run_playbook", run_playbook)
    return runs


def _create(cli: Cli, *arguments: str, name: str = "ci") -> Json:
    result = cli("key", "create", "tenant-a", "--name", name, *arguments, "--json")
    assert result.code == 0, result.err
    return dict(result.json)


def test_a_key_is_shown_once_and_told_to_the_gateway(
    cli: Cli, home: Path, told: list[list[str]]
) -> None:
    result = cli("key", "create", "tenant-a", "--name", "ci", "--requests-per-minute", "5")
    secret = result.out.strip()
    assert "It is shown only now." in result.err
    kept = (home / "identity/keys/keys.json").read_text()
    assert secret not in kept
    (record,) = json.loads(kept)["keys"]
    assert record["fingerprint"] == hashlib.sha256(secret.encode()).hexdigest()
    assert told == [[record["id"]]]
    (listed,) = cli("key", "list", "--json").json
    assert (listed["name"], listed["tenant"], listed["state"]) == ("ci", "tenant-a", "active")
    assert listed["requests_per_minute"] == 5
    assert "fingerprint" not in listed
    assert secret not in cli("key", "list").out


@pytest.mark.usefixtures("told")
def test_a_key_lasts_a_year_or_as_long_as_is_asked(cli: Cli) -> None:
    year = _create(cli)["expires"] - time.time()
    assert abs(year - 365 * 86400) < 60
    assert abs(_create(cli, "--expires", "12h", name="short")["expires"] - time.time() - 43200) < 60


def test_a_key_that_the_gateway_never_heard_of_is_none(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CommandError("the gateway cannot be told")

    monkeypatch.setattr(keys, "run_playbook", fail)
    result = cli("key", "create", "tenant-a", "--name", "ci")
    assert (result.code, result.out) == (1, "")
    assert "cannot be told" in result.err
    assert identity.active_keys(str(home / "identity")) == []


def test_revoking_by_name_or_id_is_told_and_stays_listed(cli: Cli, told: list[list[str]]) -> None:
    one, two = _create(cli, name="one"), _create(cli, name="two")
    assert cli("key", "revoke", "one").code == 0
    assert told[-1] == [two["id"]]
    assert cli("key", "revoke", two["id"], "--json").json["state"] == "revoked"
    assert told[-1] == []
    states = {row["id"]: row["state"] for row in cli("key", "list", "--json").json}
    assert states == {one["id"]: "revoked", two["id"]: "revoked"}


def test_rotating_overlaps_until_the_old_one_is_revoked(cli: Cli, told: list[list[str]]) -> None:
    old = _create(cli, "--requests-per-minute", "7")
    result = cli("key", "rotate", "ci", "--json")
    new = result.json
    assert (new["name"], new["requests_per_minute"]) == ("ci-2", 7)
    assert set(told[-1]) == {old["id"], new["id"]}
    assert f"key revoke {old['id']}" in result.err
    last = cli("key", "rotate", new["id"], "--revoke-old", "--json").json
    assert last["name"] == "ci-3"
    assert set(told[-1]) == {old["id"], last["id"]}


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "tenant-x", "--name", "ci"], 1, "tenant-a, tenant-b"),
        (["create", "tenant-a", "--name", "ci"], 1, "has an active key named"),
        (["create", "tenant-a", "--name", " "], 2, "is no name"),
        (["create", "tenant-a", "--name", "a\nb"], 2, "is no name"),
        (["create", "tenant-a", "--name", "x" * 61], 2, "is no name"),
        (["create", "tenant-a", "--name", "n", "--requests-per-minute", "0"], 2, "requests-per-"),
        (["create", "tenant-a", "--name", "n", "--expires", "never"], 2, "is no duration"),
        (["revoke", "nothing"], 1, "no active key"),
        (["rotate", "nothing"], 1, "no active key"),
        (["revoke", "ci", "--tenant", "tenant-b"], 1, "no active key"),
        (["list", "--tenant", "tenant-x"], 1, "tenant-a, tenant-b"),
    ],
)
def test_what_cannot_be_is_said(cli: Cli, arguments: list[str], code: int, said: str) -> None:
    _create(cli)
    result = cli("key", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert len(cli("key", "list", "--json").json) == 1


@pytest.mark.usefixtures("told")
def test_a_name_that_two_tenants_use_asks_for_the_id(cli: Cli) -> None:
    _create(cli)
    assert cli("key", "create", "tenant-b", "--name", "ci").code == 0
    for command in ("revoke", "rotate"):
        result = cli("key", command, "ci")
        assert result.code == 1
        assert "tenant-a, tenant-b" in result.err
    assert cli("key", "rotate", "ci", "--tenant", "tenant-b").code == 0


@pytest.mark.parametrize(
    ("name", "taken", "next_name"),
    [("ci", set(), "ci-2"), ("ci-2", set(), "ci-3"), ("ci", {"ci-2", "ci-3"}, "ci-4")],
)
def test_a_successor_has_the_next_free_name(name: str, taken: set[str], next_name: str) -> None:
    assert keys.successor(name, taken) == next_name


def test_a_key_expires(home: Path) -> None:
    record, _ = identity.create_key(
        str(home / "identity"), "tenant-a", "ci", audience="a", issuer="i"
    )
    assert keys.state(record) == "active"
    past = identity.KeyRecord(**{**vars(record), "expires": int(time.time()) - 1})
    assert keys.state(past) == "expired"
