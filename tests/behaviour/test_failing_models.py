# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models that cannot be served: each with its own reason, nobody else's matter, and mended by the next run."""

from __future__ import annotations

import copy
import json
import time
import typing as t
from pathlib import Path

import pytest

from .client import Caller, run_command
from .errors import check_error
from .own_platform import OwnPlatform
from .platform_json import Platform

pytestmark = pytest.mark.disruptive

Vars = dict[str, t.Any]

# For a model server to load on a busy machine.
_PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that every Unix user may read."""
    directory = tmp_path_factory.mktemp("models")
    for path in (directory, *directory.parents[:2]):
        path.chmod(0o755)
    (directory / "text.joblib").write_text("this is no model")
    return directory


@pytest.fixture(scope="module")
def failed(own: OwnPlatform, files: Path) -> t.Iterator[tuple[str, Platform]]:
    """What the run said that brought models which cannot be served, and the platform after it.

    At the end the inventory is as it was, and the platform follows.
    """
    tenants, models = own.variable("tenants"), own.variable("models")
    iris = next(model for model in models if model["name"] == "iris")
    owner = iris["tenant"]

    def model(name: str, **changes: t.Any) -> Vars:
        return {**copy.deepcopy(iris), "name": name, **changes}

    added = [
        model("missing", source=f"file://{files}/gone.joblib"),
        model("mistaken", source=f"file://{files}/text.joblib"),
        model("altered", source=f"file://{files}/text.joblib", checksum=f"sha256:{'0' * 64}"),
        model("unpacked", source="python://no_such_package/model"),
        model("unreachable", source="https://127.0.0.1:1/m", checksum=f"sha256:{'0' * 64}"),
        model("starved", serving={"resources": {"memory": "64Mi"}}),
        model("late", serving={"start_timeout": "10ms"}),
    ]
    # A new version of a model that is served already.
    replaced = [
        {**each, "version": "2", "source": f"file://{files}/text.joblib"}
        if each["name"] == "iris"
        else each
        for each in models
    ]
    allowing = [
        {
            **tenant,
            "models": {"allow": [*tenant["models"]["allow"], *(each["name"] for each in added)]},
            "resources": {},
        }
        if tenant["name"] == owner
        else tenant
        for tenant in tenants
    ]
    own.change("tenants", lambda _: allowing)
    own.change("models", lambda _: [*replaced, *added])
    try:
        with pytest.raises(RuntimeError) as caught:
            own.up()
        yield str(caught.value), Platform.read(own.platform_json)
    finally:
        own.change("tenants", lambda _: tenants)
        own.change("models", lambda _: models)
        own.up()


REASONS = {
    "missing": "gone.joblib does not exist",
    "mistaken": "is not a scikit-learn model that can be read",
    "altered": "has the checksum sha256:",
    "unpacked": "has no package no_such_package",
    "unreachable": "Connection refused",
    "starved": "serving.resources.memory allows 64 MiB, at least 256 MiB are needed",
    "iris": "is not a scikit-learn model that can be read",
}


@pytest.mark.parametrize(("name", "reason"), [*REASONS.items(), ("late", "not ready after 0.01 s")])
def test_the_run_says_of_each_why(failed: tuple[str, Platform], name: str, reason: str) -> None:
    said, _ = failed
    lines = [line for line in said.splitlines() if line.strip().startswith(f"- {name}: ")]
    assert len(lines) == 1, said
    assert reason in lines[0]


def test_a_late_one_is_served_when_it_answers(
    failed: tuple[str, Platform], callers: dict[str, Caller]
) -> None:
    _, grown = failed
    late = grown.models["late"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    caller = callers[late.owner]
    while (answer := caller.post(late.example_path, late.example_body)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)


def test_status_says_of_each_why(own: OwnPlatform, failed: tuple[str, Platform]) -> None:
    assert failed
    told = json.loads(own.ask("status", "--json"))
    states = {model["name"]: (model["ready"], model["reason"]) for model in told["models"]}
    assert told["healthy"] is False
    for name, reason in REASONS.items():
        ready, why = states[name]
        assert ready == (name == "iris"), states
        assert reason in why
    assert states["iris"][1].endswith("; what ran before goes on")
    others = {name: state for name, state in states.items() if name not in {*REASONS, "late"}}
    assert set(others.values()) == {(True, "")}, others


def test_the_list_of_models_says_it_too(own: OwnPlatform, failed: tuple[str, Platform]) -> None:
    assert failed
    listed = own.ask("models")
    for name, reason in REASONS.items():
        (line,) = (line for line in listed.splitlines() if line.startswith(f"{name}: "))
        assert reason in line


def test_the_others_are_served(
    platform: Platform, failed: tuple[str, Platform], callers: dict[str, Caller]
) -> None:
    assert failed
    broken = {*REASONS, "late"} - {"iris"}
    for tenant, caller in callers.items():
        # Alone, this file meets a platform that has them already.
        for model in (each for each in platform.usable_by(tenant) if each.name not in broken):
            answer = caller.post(model.example_path, model.example_body)
            assert answer.status_code == 200, answer.text


def test_a_version_that_does_not_load_leaves_the_one_before(
    platform: Platform, failed: tuple[str, Platform], callers: dict[str, Caller]
) -> None:
    assert failed
    answer = callers[platform.models["iris"].owner].get("/v2/models/iris")
    assert answer.json()["versions"] == ["1"]


def test_who_asks_for_one_is_told_to_come_back(
    failed: tuple[str, Platform], callers: dict[str, Caller]
) -> None:
    _, grown = failed
    for name in REASONS:
        if name != "iris":
            path = f"/v1/models/{name}:predict"
            answer = callers[grown.models[name].owner].post(path, {"instances": [[1, 2, 3, 4]]})
            check_error(answer, path, 503)


def test_mended_it_is_served(
    own: OwnPlatform, failed: tuple[str, Platform], files: Path, callers: dict[str, Caller]
) -> None:
    _, grown = failed
    (packages,) = own.home.glob("runtime/lib/python3.*/site-packages")
    good = (packages / "inferencebox_samples/iris/model.joblib").read_bytes()
    (files / "gone.joblib").write_bytes(good)
    with pytest.raises(RuntimeError) as caught:
        own.up()
    assert "- missing: " not in str(caught.value)
    path = "/v1/models/missing:predict"
    answer = callers[grown.models["missing"].owner].post(
        path, {"instances": [[5.1, 3.5, 1.4, 0.2]]}
    )
    assert answer.json() == {"predictions": [0]}


def test_a_command_that_asks_says_where_to_look(failed: tuple[str, Platform]) -> None:
    _, grown = failed
    command = list(grown.token_command)
    before = command[: command.index("token")]
    with pytest.raises(RuntimeError, match="503") as caught:
        run_command([*before, "predict", "starved"])
    assert "inferencebox status" in str(caught.value)
