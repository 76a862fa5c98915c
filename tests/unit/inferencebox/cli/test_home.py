# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which platform is meant, and what is said when it is not clear."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferencebox.cli import lifecycle
from inferencebox.cli._output import CommandError

from .conftest import Cli, write_platform


@pytest.mark.usefixtures("home")
def test_the_only_platform_is_found(cli: Cli) -> None:
    assert cli("models", "--json").json[0]["name"] == "iris"


def test_no_platform_names_the_next_step(cli: Cli) -> None:
    result = cli("models")
    assert result.code == 3
    assert "no platform is installed" in result.err
    assert "inferencebox up" in result.err


@pytest.mark.usefixtures("home")
def test_several_platforms_ask_for_a_name(cli: Cli, state: Path) -> None:
    write_platform(state / "other", name="other")
    result = cli("models")
    assert result.code == 3
    assert "demo, other" in result.err
    assert "--platform" in result.err
    assert cli("models", "--platform", "other").code == 0
    assert "'third'" in cli("models", "--platform", "third").err


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_home_elsewhere_is_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    place = write_platform(tmp_path / "elsewhere")
    if how == "variable":
        monkeypatch.setenv("INFERENCEBOX_HOME", str(place))
    assert cli("tenants", *(["--home", str(place)] if how == "option" else [])).code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is damaged"), ("{}", "is damaged"), (json.dumps({"format": 2}), "has format 2")],
)
def test_an_unreadable_description_is_explained(
    cli: Cli, home: Path, content: str, said: str
) -> None:
    (home / "platform.json").write_text(content)
    result = cli("models", "--home", str(home))
    assert result.code == 3
    assert said in result.err


def test_a_directory_without_platform_is_explained(cli: Cli, tmp_path: Path) -> None:
    result = cli("models", "--home", str(tmp_path))
    assert result.code == 3
    assert "platform.json is missing" in result.err


@pytest.mark.usefixtures("home")
def test_unknown_names_list_the_known_ones(cli: Cli) -> None:
    assert "tenant-a, tenant-b" in cli("models", "--tenant", "tenant-x").err
    assert "iris, smollm2" in cli("predict", "nothing").err


@pytest.mark.usefixtures("home")
def test_tenants_show_what_each_owns_and_may_use(cli: Cli) -> None:
    assert cli("tenants", "--json").json == [
        {"name": "tenant-a", "models": ["iris", "smollm2"], "owns": ["iris"]},
        {"name": "tenant-b", "models": ["smollm2"], "owns": ["smollm2"]},
    ]


@pytest.mark.usefixtures("home")
def test_models_show_who_may_use_them_and_why_they_do_not_answer(cli: Cli) -> None:
    _, row, _, why = cli("models", "--tenant", "tenant-b").out.splitlines()
    apis = ["chat", "completions"]
    assert row.split() == [
        "smollm2",
        "tenant-b",
        "llm",
        "not",
        "ready",
        *apis,
        "tenant-a",
        "tenant-b",
    ]
    assert why == "smollm2: the platform is stopped"


def test_who_may_read_platform_json_alone_is_not_told_how_models_are(cli: Cli, home: Path) -> None:
    (home / "state/inventory.json").unlink()
    (home / "state").rmdir()  # as for a user who may not read it, whoever runs the tests
    assert [row["ready"] for row in cli("models", "--json").json] == [None, None]
    assert cli("models").out.splitlines()[1].split()[:4] == ["iris", "tenant-a", "sklearn", "-"]


@pytest.mark.parametrize("variable", [True, False])
def test_the_platform_may_be_named_before_or_behind_the_command(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, variable: bool
) -> None:
    one, two = (
        write_platform(tmp_path / "one", name="one"),
        write_platform(tmp_path / "two", name="two"),
    )
    if variable:
        monkeypatch.setenv("INFERENCEBOX_HOME", str(two))
    assert cli("--home", str(one), "status", "--json").json["platform"]["name"] == "one"
    assert (
        cli("--home", str(two), "status", "--json", "--home", str(one)).json["platform"]["name"]
        == "one"
    )
    assert cli("--home", str(one), "key", "list").code == 0


def test_what_was_applied_is_enough_to_stop_or_remove_a_platform(cli: Cli, home: Path) -> None:
    (home / "platform.json").write_bytes(b"\xff{")
    assert "is damaged" in cli("models", "--home", str(home)).err
    target = lifecycle.named_target(None, None, home, None)
    assert f"@{home}/state/inventory.json" in target["options"]
    (home / "state/inventory.json").write_text("{")
    with pytest.raises(CommandError, match="inventory.json is damaged"):
        lifecycle.named_target(None, None, home, None)
