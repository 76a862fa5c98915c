# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""API keys, made and revoked as an operator does it: with the platform's own command."""

from __future__ import annotations

import json
import secrets
import typing as t
from dataclasses import dataclass

from .client import run_command
from .platform_json import Platform


@dataclass(frozen=True, slots=True)
class Key:
    """A key, as it is shown once."""

    id: str
    secret: str
    expires: int


class Keys:
    """The keys of one platform."""

    def __init__(self, platform: Platform) -> None:
        # Whatever stands around "token {tenant}" in the command says which platform is meant.
        command = platform.token_command
        at = command.index("token")
        self._before = command[:at]
        self._after = [word for word in command[at + 1 :] if word != "{tenant}"]
        self._made: list[str] = []

    def create(
        self, tenant: str, *, requests_per_minute: int | None = None, lifetime: str | None = None
    ) -> Key:
        """Creates a key.

        Args:
            tenant: Whom it speaks for.
            requests_per_minute: Limit of its own.
            lifetime: How long it is valid, as 30s, 1h or 7d.

        Returns:
            Its id and what the caller sends.
        """
        options = ["--name", f"behaviour-{secrets.token_hex(4)}"]
        if requests_per_minute is not None:
            options += ["--requests-per-minute", str(requests_per_minute)]
        if lifetime is not None:
            options += ["--expires", lifetime]
        made = json.loads(self._run("create", tenant, *options, "--json"))
        self._made.append(made["id"])
        return Key(made["id"], made["key"], made["expires"])

    def list(self) -> list[dict[str, t.Any]]:
        """All keys, as the command tells programs."""
        return t.cast("list[dict[str, t.Any]]", json.loads(self.list_text("--json")))

    def list_text(self, *options: str) -> str:
        """All keys, as the command prints them."""
        return self._run("list", *options)

    def revoke(self, key: Key) -> None:
        """Revokes a key."""
        self._run("revoke", key.id)
        self._made.remove(key.id)

    def revoke_all(self) -> None:
        """Revokes what this object created and nobody revoked."""
        for name in self._made:
            self._run("revoke", name)
        self._made.clear()

    def _run(self, *arguments: str) -> str:
        return run_command([*self._before, "key", *arguments, *self._after], timeout=120)
