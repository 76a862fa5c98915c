# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Typed reader of platform.json, the only thing that this suite knows about a platform."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Model:
    """One published model: who owns it, what it speaks, and one request that it answers."""

    name: str
    owner: str
    framework: str
    apis: tuple[str, ...]
    example_path: str
    example_body: t.Mapping[str, t.Any]

    @property
    def is_llm(self) -> bool:
        """Whether it is asked through OpenAI's paths, with its name in the body."""
        return "chat" in self.apis or "completions" in self.apis


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform under test."""

    name: str
    target: str
    base_url: str
    connect_to: str
    ca_file: Path
    token_command: tuple[str, ...]
    tenants: t.Mapping[str, frozenset[str]]
    models: t.Mapping[str, Model]
    home: Path | None
    gateway: str

    @classmethod
    def read(cls, path: Path) -> Platform:
        """Reads a platform.json.

        Args:
            path: The file that the platform wrote when it came up.

        Returns:
            The platform.

        Raises:
            ValueError: The file has another format than this suite understands.
        """
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise ValueError(f"{path}: format {raw.get('format')!r}, this suite reads {FORMAT}")
        return cls(
            name=raw["name"],
            target=raw["target"],
            base_url=raw["base_url"],
            connect_to=raw["connect_to"],
            ca_file=Path(raw["ca_file"]),
            token_command=tuple(raw["token_command"]),
            tenants={name: frozenset(x["models"]) for name, x in raw["tenants"].items()},
            models={name: _model(name, x) for name, x in raw["models"].items()},
            home=Path(raw["home"]) if raw.get("home") else None,
            gateway=raw.get("gateway", ""),
        )

    @property
    def host(self) -> str:
        """Host name of the gateway, as certificates and Host headers name it."""
        host = urlsplit(self.base_url).hostname
        assert host, f"base_url {self.base_url!r} has no host"
        return host

    @property
    def port(self) -> int:
        """Port in the gateway's public address."""
        return urlsplit(self.base_url).port or 443

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect: what `curl --connect-to` would be told."""
        host, _, port = self.connect_to.rpartition(":")
        return host.strip("[]"), int(port)

    def usable_by(self, tenant: str) -> list[Model]:
        """Models that a tenant may use, by name."""
        return [self.models[name] for name in sorted(self.tenants[tenant])]

    def hidden_from(self, tenant: str) -> list[Model]:
        """Models that exist and that a tenant may not use, by name."""
        return [m for name, m in sorted(self.models.items()) if name not in self.tenants[tenant]]

    def pairs(self, api: str) -> list[tuple[str, Model]]:
        """Each (tenant, model) where the tenant may use the model and the model serves the API."""
        return [
            (tenant, model)
            for tenant in sorted(self.tenants)
            for model in self.usable_by(tenant)
            if api in model.apis
        ]


def _model(name: str, raw: t.Mapping[str, t.Any]) -> Model:
    return Model(
        name=name,
        owner=raw["owner"],
        framework=raw["framework"],
        apis=tuple(raw["apis"]),
        example_path=raw["example"]["path"],
        example_body=raw["example"]["body"],
    )
