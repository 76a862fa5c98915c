# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform that the suite starts for itself: other name, other home, free ports, high limits."""

from __future__ import annotations

import secrets
import shutil
import string
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import yaml

from tests.ports import free_ports

REPOSITORY = Path(__file__).resolve().parents[2]
INVENTORY = REPOSITORY / "inventories" / "local"
# Names the platform.json of a running platform, which is then judged instead of one of the tests' own.
PLATFORM_VARIABLE = "INFERENCEBOX_PLATFORM"
CLI = Path(sys.prefix) / "bin" / "inferencebox"
# A first start installs the runtime; the time is for slow networks and two busy cores.
_UP_SECONDS = 600.0
_CLEAN_SECONDS = 120.0
_START_TIMEOUT = "300s"
# The suite asks thousands of questions a minute; limits are tested with keys of their own.
_PLENTY = 1_000_000
_SHOWN_LOG_LINES = 15
_LANGUAGE_APIS = ("chat", "completions", "embeddings", "responses", "messages")

Vars = dict[str, t.Any]


class OwnPlatform:
    """Starts, changes and removes one platform.

    Everything lies under one short directory, because Unix socket paths may have 107 bytes only.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ib-"))
        # Tenants' processes may be users of their own and must be able to walk through.
        self.directory.chmod(0o755)
        self.inventory = self.directory / "inventory"
        self.home = self.directory / "h"
        self.name = "t" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
        shutil.copytree(INVENTORY, self.inventory)
        self._overrides = self._first_overrides()
        self._write()

    @property
    def platform_json(self) -> Path:
        """Where the platform describes itself when it is up."""
        return self.home / "platform.json"

    def up(self, *options: str) -> str:
        """Installs or updates the platform.

        Args:
            options: Further options of the command.

        Returns:
            What the command printed.

        Raises:
            RuntimeError: It failed; the message carries its last lines and those of the platform's logs.
        """
        done = self._run("up", *options, timeout=_UP_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(
                f"inferencebox up exited {done.returncode}\n{_tail(done.stdout, 60)}\n{self.last_log_lines()}"
            )
        return done.stdout

    def ask(self, *arguments: str) -> str:
        """What a command prints about this platform, whatever its exit status."""
        return subprocess.run(
            [str(CLI), *arguments, "--home", str(self.home)],
            stdout=subprocess.PIPE,
            text=True,
            timeout=_CLEAN_SECONDS,
            check=False,
        ).stdout

    def variable(self, key: str) -> t.Any:
        """A variable of the inventory, as it is now."""
        return self._variables()[key]

    def change(self, key: str, edit: t.Callable[[t.Any], t.Any]) -> None:
        """Changes one variable of the inventory. The platform follows at the next `up`.

        Args:
            key: Variable, e.g. `models`.
            edit: Makes the new value from the present one.
        """
        variables = self._variables()
        self._overrides[key] = edit(variables[key])
        self._write()

    def where(self) -> Vars:
        """The variables that keep it apart from other platforms: its name, home and ports."""
        kept = ("platform_name", "platform_home", "platform_gateway", "platform_observability")
        return {key: self._overrides[key] for key in kept}

    def remove(self) -> None:
        """Stops every process and removes every file."""
        self._run("clean", timeout=_CLEAN_SECONDS)
        self.forget()

    def forget(self) -> None:
        """Removes the description of a platform that was never installed."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def last_log_lines(self) -> str:
        """The last lines of each log, for a failure's report."""
        parts = []
        for log in sorted((self.home / "logs").glob("**/*")):
            if log.is_file():
                text = log.read_text(encoding="utf-8", errors="replace")
                if text.strip():
                    parts.append(f"--- {log.name}\n{_tail(text, _SHOWN_LOG_LINES)}")
        return "\n".join(parts)

    def _run(self, command: str, *options: str, timeout: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(CLI), command, "-i", str(self.inventory), *options],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _first_overrides(self) -> Vars:
        variables = self._variables()
        https, prometheus, metrics = free_ports(3)
        return {
            "platform_name": self.name,
            "platform_home": str(self.home),
            "platform_gateway": {**variables.get("platform_gateway", {}), "https_port": https},
            "platform_observability": {
                **variables.get("platform_observability", {}),
                "prometheus_port": prometheus,
                "metrics_port": metrics,
            },
            "tenants": [_without_limits(tenant) for tenant in variables["tenants"]],
            "models": [_patient(_with_every_api(model)) for model in variables["models"]],
        }

    def _variables(self) -> Vars:
        """The variables of group_vars/all, later files winning, as Ansible reads them."""
        merged: Vars = {}
        for file in sorted((self.inventory / "group_vars" / "all").glob("*.yml")):
            merged |= yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return merged

    def _write(self) -> None:
        # Sorted after every topic's file, so that it wins.
        target = self.inventory / "group_vars" / "all" / "zz-behaviour.yml"
        target.write_text("---\n" + yaml.safe_dump(self._overrides), encoding="utf-8")


def _without_limits(tenant: Vars) -> Vars:
    limits = {**tenant.get("limits", {}), "requests_per_minute": _PLENTY}
    return {**tenant, "limits": limits}


def _with_every_api(model: Vars) -> Vars:
    """Language models answer every protocol that they can, so that all are judged."""
    if model["framework"] != "llm":
        return model
    return {**model, "publish": {**model.get("publish", {}), "apis": list(_LANGUAGE_APIS)}}


def _patient(model: Vars) -> Vars:
    """On two cores that others use as well a server takes more than a minute to load."""
    return {**model, "serving": {**model.get("serving", {}), "start_timeout": _START_TIMEOUT}}


def _tail(text: str, lines: int) -> str:
    return "\n".join(text.splitlines()[-lines:])
