# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox models``: what is served, by whom, and who may use it."""

from __future__ import annotations

import typing as t

import typer
from rich.markup import escape

from ._home import HomeOption, PlatformOption, find_home
from ._output import JsonOption, print_json, print_table


def models(
    tenant: t.Annotated[
        str | None, typer.Option("--tenant", "-t", help="Only what this tenant may use.")
    ] = None,
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """List the models, their owners, and who may use them."""
    place = find_home(home, platform)
    names = place.tenant(tenant)["models"] if tenant else list(place.models)
    users = {
        name: [who for who, each in place.tenants.items() if name in each["models"]]
        for name in names
    }
    if as_json:
        print_json([{"name": name, **place.model(name), "tenants": users[name]} for name in names])
        return
    rows = [
        [name, each["owner"], each["framework"], " ".join(each["apis"]), " ".join(users[name])]
        for name, each in ((name, place.model(name)) for name in names)
    ]
    print_table(
        ["MODEL", "OWNER", "FRAMEWORK", "APIS", "USED BY"],
        [[escape(cell) for cell in row] for row in rows],
    )
