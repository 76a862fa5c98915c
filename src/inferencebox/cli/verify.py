# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox verify``: the behaviour suite judges a running platform, as its callers would."""

from __future__ import annotations

import typing as t

import typer

from ._home import HomeOption, PlatformOption, find_home
from ._output import print_text
from ._runner import run_playbook
from .lifecycle import VerboseOption, applied


def verify(
    *,
    disruptive: t.Annotated[
        bool, typer.Option("--disruptive", help="Kill processes, too, to see that they come back.")
    ] = False,
    verbose: VerboseOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Try the whole platform as callers would: identity, isolation, protocols, streaming. Takes minutes."""
    place = find_home(home, platform)
    target = applied(place)
    options = [*target["options"], "-e", f"verify_disruptive={'true' if disruptive else 'false'}"]
    outcome = run_playbook(
        "verify", inventory=target["inventory"], options=options, verbose=verbose
    )
    print_text(f"{outcome.said or 'all is well'}, {outcome.seconds:.1f} s")
