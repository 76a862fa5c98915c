# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which platform of this machine a command means, and what its platform.json says."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import typer

from ._output import EXIT_NO_PLATFORM, CommandError, listed

HOME_VARIABLE = "INFERENCEBOX_HOME"
# Where an installation by root keeps its platforms, one directory each.
SYSTEM_STATE = Path("/var/lib/inferencebox")
# The format of platform.json that this program reads.
FORMAT = 1


def _or_of_root(context: typer.Context, parameter: typer.CallbackParam, value: t.Any) -> t.Any:
    """Take an option from before the command's name when it does not stand behind it."""
    name = str(parameter.name)
    return value if value is not None else context.find_root().params.get(name)


_HOME_HELP = "Directory of the platform."
_PLATFORM_HELP = "Name of the platform, when this machine has several."

# Before the command's name, for all commands about an installed platform ...
RootHomeOption = t.Annotated[
    Path | None, typer.Option("--home", envvar=HOME_VARIABLE, help=_HOME_HELP, show_default=False)
]
RootPlatformOption = t.Annotated[str | None, typer.Option("--platform", help=_PLATFORM_HELP)]
# ... or behind it, where people look for options first.
HomeOption = t.Annotated[
    Path | None, typer.Option("--home", help=_HOME_HELP, show_default=False, callback=_or_of_root)
]
PlatformOption = t.Annotated[
    str | None, typer.Option("--platform", help=_PLATFORM_HELP, callback=_or_of_root)
]


@dataclass(frozen=True)
class Home:
    """An installed platform.

    Attributes:
        path: Its directory.
        data: Content of its platform.json.
    """

    path: Path
    data: dict[str, t.Any]

    @property
    def name(self) -> str:
        """The platform's name."""
        return str(self.data["name"])

    @property
    def base_url(self) -> str:
        """Address of the gateway, as callers write it."""
        return str(self.data["base_url"])

    @property
    def host(self) -> str:
        """Host name of the gateway, as its certificate names it."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def port(self) -> int:
        """Port in the gateway's address."""
        return urlsplit(self.base_url).port or 443

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect: host or IP address, and port."""
        host, _, port = str(self.data["connect_to"]).rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def ca_file(self) -> Path:
        """The authority that vouches for the gateway."""
        return Path(self.data["ca_file"])

    @property
    def tenants(self) -> dict[str, t.Any]:
        """Tenants by name: {models: [names that it may use]}."""
        return dict(self.data["tenants"])

    @property
    def models(self) -> dict[str, t.Any]:
        """Models by name: {owner, framework, apis} and, where there is one, example: {path, body}."""
        return dict(self.data["models"])

    def record(self, name: str) -> dict[str, t.Any]:
        """What the last run wrote down, "models" or "prometheus"; nothing where it did not come so far."""
        file = self.path / "state" / f"{name}.json"
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def tenant(self, name: str) -> dict[str, t.Any]:
        """Return a tenant.

        Raises:
            CommandError: There is none of this name; the hint lists those that there are.
        """
        if name not in self.tenants:
            raise CommandError(
                f"platform {self.name!r} has no tenant {name!r}",
                f"Its tenants are: {listed(self.tenants)}.",
            )
        return dict(self.tenants[name])

    def model(self, name: str) -> dict[str, t.Any]:
        """Return a model.

        Raises:
            CommandError: There is none of this name; the hint lists those that there are.
        """
        if name not in self.models:
            raise CommandError(
                f"platform {self.name!r} has no model {name!r}",
                f"Its models are: {listed(self.models)}.",
            )
        return dict(self.models[name])


def find_home(home: Path | None = None, platform: str | None = None) -> Home:
    """Find the platform that is meant.

    Args:
        home: Its directory, when the caller named it.
        platform: Its name, to choose among several.

    Returns:
        The platform.

    Raises:
        CommandError: There is none, or there are several and none was named.
    """
    if home is not None:
        return read_home(home.expanduser().absolute())
    found = installed()
    if platform is not None:
        found = [each for each in found if each.name == platform]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(
            f"this machine has several platforms: {listed(each.name for each in found)}",
            "Say which one with --platform NAME.",
            exit_code=EXIT_NO_PLATFORM,
        )
    raise _none_found(platform)


def installed() -> list[Home]:
    """All platforms that this user installed, sorted by directory."""
    return [read_home(file.parent) for file in sorted(state_directory().glob("*/platform.json"))]


def state_directory() -> Path:
    """Where this user's platforms are kept."""
    if os.geteuid() == 0:
        return SYSTEM_STATE
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "inferencebox"


def read_home(path: Path) -> Home:
    """Read the platform.json of a directory.

    Raises:
        CommandError: There is none that can be read.
    """
    file = path / "platform.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        version = data["format"]
    except FileNotFoundError as error:
        raise CommandError(
            f"{path} holds no running platform: {file.name} is missing",
            "Start it with `inferencebox up`.",
            exit_code=EXIT_NO_PLATFORM,
        ) from error
    except OSError as error:
        raise CommandError(
            f"{file} cannot be read: {error.strerror}",
            "Run the command as the user who installed the platform.",
            exit_code=EXIT_NO_PLATFORM,
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{file} is damaged: {error}",
            "Write it again with `inferencebox up`.",
            exit_code=EXIT_NO_PLATFORM,
        ) from error
    if version != FORMAT:
        raise CommandError(
            f"{file} has format {version}, and this program reads {FORMAT}",
            "Use the program that came with the platform, or run `inferencebox up` again.",
            exit_code=EXIT_NO_PLATFORM,
        )
    return Home(path, data)


def _none_found(platform: str | None) -> CommandError:
    wanted = f"no platform named {platform!r}" if platform else "no platform"
    hint = "Start one with `inferencebox up`, or name its directory with --home."
    if os.geteuid() != 0 and any(SYSTEM_STATE.glob("*/platform.json")):
        hint = f"{SYSTEM_STATE} holds what root installed: run the command as root, or name a directory with --home."
    return CommandError(
        f"{wanted} is installed in {state_directory()}", hint, exit_code=EXIT_NO_PLATFORM
    )
