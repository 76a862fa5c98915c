# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox tenants``: who is served, and with which models."""

from __future__ import annotations

from rich.markup import escape

from ._home import HomeOption, PlatformOption, find_home
from ._output import JsonOption, print_json, print_table


def tenants(
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """List the tenants, the models that each owns, and those that each may use."""
    place = find_home(home, platform)
    owned = {
        tenant: [name for name, each in place.models.items() if each["owner"] == tenant]
        for tenant in place.tenants
    }
    if as_json:
        print_json(
            [{"name": name, **each, "owns": owned[name]} for name, each in place.tenants.items()]
        )
        return
    print_table(
        ["TENANT", "MAY USE", "OWNS"],
        [
            [escape(name), escape(" ".join(each["models"])), escape(" ".join(owned[name]))]
            for name, each in place.tenants.items()
        ],
    )
