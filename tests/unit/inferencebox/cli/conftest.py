# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform's directory as a playbook leaves it, and the command line as a shell calls it."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host.identity import (
    ensure_issuers,
)

from inferencebox.cli import _home, main

IRIS = {"instances": [[5.1, 3.5, 1.4, 0.2]]}


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> t.Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


Cli = Callable[..., Result]


def platform_json(home: Path, *, name: str = "demo", port: int = 8443) -> dict[str, t.Any]:
    """Content of platform.json of a platform with two tenants."""
    return {
        "format": 1,
        "name": name,
        "target": "local",
        "train": "2026.11",
        "home": str(home),
        "base_url": "https://gateway.inference.localhost:8443",
        "connect_to": f"127.0.0.1:{port}",
        "ca_file": str(home / "pki/ca.crt"),
        "token_command": ["inferencebox", "token", "{tenant}"],
        "tenants": {
            "tenant-a": {"models": ["iris", "smollm2"]},
            "tenant-b": {"models": ["smollm2"]},
        },
        "models": {
            "iris": {
                "owner": "tenant-a",
                "framework": "sklearn",
                "apis": ["v1", "v2"],
                "example": {"path": "/v1/models/iris:predict", "body": IRIS},
            },
            "smollm2": {
                "owner": "tenant-b",
                "framework": "llm",
                "apis": ["chat", "completions"],
                "example": {
                    "path": "/v1/chat/completions",
                    "body": {
                        "model": "smollm2",
                        "max_tokens": 40,
                        "messages": [
                            {"role": "user", "content": "What is it like to be a gateway?"}
                        ],
                    },
                },
            },
        },
    }


def write_platform(home: Path, **changes: t.Any) -> Path:
    """Write a platform's directory.

    Returns:
        The directory.
    """
    (home / "state").mkdir(parents=True)
    (home / "logs").mkdir()
    (home / "platform.json").write_text(json.dumps(platform_json(home, **changes)))
    (home / "state/inventory.json").write_text(json.dumps({"platform_name": "demo"}))
    ensure_issuers(str(home / "identity"))
    return home


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where platforms are looked for: an empty directory, whoever runs the tests."""
    directory = tmp_path / "state/inferencebox"
    directory.mkdir(parents=True)
    monkeypatch.setattr(_home, "SYSTEM_STATE", directory)
    monkeypatch.setenv("XDG_STATE_HOME", str(directory.parent))
    monkeypatch.delenv("INFERENCEBOX_HOME", raising=False)
    monkeypatch.delenv("INFERENCEBOX_INVENTORY", raising=False)
    return directory


@pytest.fixture
def home(state: Path) -> Path:
    """The only platform of this machine."""
    return write_platform(state / "demo")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Calls a command."""

    def call(*arguments: str) -> Result:
        code = main(arguments)
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return call
