# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox models``: what is served, by whom, who may use it, and whether it answers."""

from __future__ import annotations

import os
import typing as t

import typer
from rich.markup import escape

from ._home import Home, HomeOption, PlatformOption, find_home
from ._output import CommandError, JsonOption, print_json, print_table, print_text
from .status import model_health, supervised

# Whether a model answers, and why not.
Health = tuple[bool, str]


def models(
    tenant: t.Annotated[
        str | None, typer.Option("--tenant", "-t", help="Only what this tenant may use.")
    ] = None,
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """List the models, their owners, who may use them, and which do not answer and why."""
    place = find_home(home, platform)
    names = place.tenant(tenant)["models"] if tenant else list(place.models)
    health = _health(place)
    users = {
        name: [who for who, each in place.tenants.items() if name in each["models"]]
        for name in names
    }
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    **place.model(name),
                    "tenants": users[name],
                    "ready": health[name][0] if name in health else None,
                    "reason": health[name][1] if name in health else None,
                }
                for name in names
            ]
        )
        return
    rows = [
        [
            name,
            each["owner"],
            each["framework"],
            _state(health.get(name)),
            " ".join(each["apis"]),
            " ".join(users[name]),
        ]
        for name, each in ((name, place.model(name)) for name in names)
    ]
    print_table(
        ["MODEL", "OWNER", "FRAMEWORK", "STATE", "APIS", "USED BY"],
        [[escape(cell) for cell in row] for row in rows],
    )
    for name in names:
        if name in health and health[name][1]:
            print_text(f"\n{name}: {health[name][1]}")


def _health(place: Home) -> dict[str, Health]:
    """How each model is; nothing for a user who may read platform.json alone, or when the cluster does not answer."""
    if place.data["target"] == "kubernetes":
        from . import _cluster

        try:
            return {each.name: (each.ready, each.reason) for each in _cluster.read(place).models}
        except CommandError:
            return {}
    if not os.access(place.path / "state", os.R_OK | os.X_OK):
        return {}
    return {each.name: (each.ready, each.reason) for each in model_health(place, supervised(place))}


def _state(health: Health | None) -> str:
    if health is None:
        return "-"
    return "ready" if health[0] else "not ready"
