# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform that all tests of this folder judge, because its install takes minutes."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tests.behaviour.client import fetch_token
from tests.behaviour.platform_json import Platform
from tests.node import failure
from tests.node.own_node import OwnNode

_ROOT = Path(__file__).resolve().parents[3]
# Filling the bundle takes minutes and gigabytes; what is there is not made again.
_BUNDLE = _ROOT / ".cache/node/bundle"
_PLENTY = 1_000_000
_LANGUAGE_APIS = ("chat", "completions", "embeddings", "responses", "messages")


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OwnNode]:
    """A node with the platform of inventories/node, installed by site.yml from a bundle alone."""
    own = OwnNode(tmp_path_factory.mktemp("platform"), _BUNDLE, _variables())
    own.bundle.mkdir(parents=True, exist_ok=True)
    own.play("playbooks/bundle.yml")
    try:
        try:
            own.play("site.yml")
        except AssertionError:
            print(failure.keep(own, "the install"))
            raise
        yield own
    finally:
        own.remove()


def _variables() -> dict[str, t.Any]:
    """The inventory's tenants without limits, because the suite asks thousands of questions, and all that its models can."""
    tenants = _read("tenants")
    for tenant in tenants:
        tenant["limits"]["requests_per_minute"] = _PLENTY
    models = _read("models")
    for model in models:
        if model["framework"] == "llm":
            model["publish"]["apis"] = list(_LANGUAGE_APIS)
    return {"tenants": tenants, "models": models}


def _read(topic: str) -> list[dict[str, t.Any]]:
    file = _ROOT / f"inventories/node/group_vars/all/{topic}.yml"
    found: list[dict[str, t.Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))[topic]
    return found


@pytest.fixture(scope="package")
def platform(installed: OwnNode) -> Platform:
    """That platform, as its callers know it."""
    return Platform.read(installed.home / "platform.json")


@pytest.fixture(scope="package")
def tokens(platform: Platform) -> dict[str, str]:
    """One good token for each tenant."""
    return {tenant: fetch_token(platform, tenant) for tenant in sorted(platform.tenants)}
