# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running it again, only looking, and running parts: what an operator expects of a platform made by Ansible."""

from __future__ import annotations

import re
import typing as t

import pytest

from .own_platform import OwnPlatform

pytestmark = pytest.mark.disruptive


@pytest.fixture
def other() -> t.Iterator[OwnPlatform]:
    """A platform that is only described."""
    described = OwnPlatform()
    yield described
    described.forget()


def test_looking_at_an_empty_machine_fails_nothing_and_leaves_nothing(other: OwnPlatform) -> None:
    said = other.up("--check", "--diff")
    assert re.search(r"\d+ changes would be made", said), said
    assert not other.home.exists()


def test_looking_tells_what_a_run_then_does(own: OwnPlatform) -> None:
    def limited(tenants: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        first, *rest = tenants
        return [{**first, "limits": {"requests_per_minute": 999_999}}, *rest]

    before = own.variable("tenants")
    own.change("tenants", limited)
    try:
        looked = own.up("--check", "--diff")
        assert "999999" in looked
        predicted = re.search(r"(\d+) changes? would be made", looked)
        assert predicted, looked
        done = own.up()
        assert re.search(rf"up, {predicted[1]} changes?,", done), done
    finally:
        own.change("tenants", lambda _: before)
        own.up()


@pytest.mark.parametrize("tag", ["tenants", "ai_gateway", "models"])
def test_one_layer_alone_runs_on_a_running_platform(own: OwnPlatform, tag: str) -> None:
    assert "nothing to change" in own.up("--tags", tag)
