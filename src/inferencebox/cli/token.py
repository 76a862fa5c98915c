# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox token``: an identity of a tenant, for an hour or as long as is asked."""

from __future__ import annotations

import typing as t

import typer

from ._durations import duration
from ._home import HomeOption, PlatformOption, find_home
from ._identity import OPERATOR, mint
from ._output import JsonOption, print_json, print_text


def token(
    tenant: t.Annotated[str, typer.Argument(help="Tenant for which the token speaks.")],
    user: t.Annotated[
        str, typer.Option("--user", help="Who uses it; stands in access logs.")
    ] = OPERATOR,
    lifetime: t.Annotated[
        float,
        typer.Option(
            parser=duration, metavar="DURATION", help="How long it is valid, as 90s, 15m, 1h or 7d."
        ),
    ] = "1h",  # type: ignore[assignment] # the parser makes it a number
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Print a token of a tenant, signed by the platform's own issuer."""
    seconds = int(lifetime)
    minted = mint(find_home(home, platform), tenant, user, lifetime_seconds=seconds)
    if as_json:
        print_json({"token": minted, "tenant": tenant, "user": user, "lifetime_seconds": seconds})
    else:
        print_text(minted)
