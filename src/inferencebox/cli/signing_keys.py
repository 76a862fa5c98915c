# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox signing-key``: the keys by which the platform signs tokens, listed and rotated while everything runs."""

from __future__ import annotations

import datetime
import http
import time
import typing as t
from pathlib import Path

import typer
from ansible_collections.inferencebox.platform.plugins.module_utils.host import identity
from rich.markup import escape

from ._home import Home, HomeOption, PlatformOption, find_home
from ._identity import OPERATOR, identity_directory
from ._output import CommandError, JsonOption, print_json, print_table, print_text
from ._runner import run_playbook
from .lifecycle import applied

# The gateway reads a new key set by itself, within a second where the machine has time.
_ACCEPTED_WITHIN_SECONDS = 60.0
_POLL_SECONDS = 0.2
# Each of its threads reads the key set for itself, and each connection is one thread's.
_TIMES_ACCEPTED = 5

app = typer.Typer(help="Keys by which the platform signs tokens.", rich_markup_mode=None)


@app.command("list")
def list_(
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """List the keys whose tokens are accepted: the one that signs, and those that signed before."""
    rows = identity.signing_keys(_issuer(find_home(home, platform)))
    if as_json:
        print_json(rows)
        return
    print_table(
        ["ID", "STATE", "ACCEPTED UNTIL"],
        [[escape(row["id"]), row["state"], _moment(row["until"])] for row in rows],
    )


@app.command()
def rotate(
    *,
    revoke_old: t.Annotated[
        bool,
        typer.Option("--revoke-old", help="Refuse every token of before, at once."),
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Sign tokens by a new key. Those of before are accepted until the longest-lived of them has ended."""
    place = find_home(home, platform)
    issuer = _issuer(place)
    identity.announce_key(issuer)
    _tell_gateway(place)
    # No token is signed by it before the gateway has read it: nobody is refused in between.
    _await_acceptance(place)
    overlap = 0 if revoke_old else identity.LONGEST_TOKEN_SECONDS
    identity.rotate(issuer, overlap_seconds=overlap)
    if revoke_old:
        _tell_gateway(place)
    rows = identity.signing_keys(issuer)
    if as_json:
        print_json(rows)
        return
    print_text(f"tokens are signed by {rows[0]['id']} from now on")
    if revoke_old:
        print_text("tokens of before are refused")
    elif len(rows) > 1:
        print_text(f"tokens of {rows[1]['id']} are accepted until {_moment(rows[1]['until'])}")


def _issuer(place: Home) -> str:
    return str(Path(identity_directory(place), identity.BUILTIN))


def _tell_gateway(place: Home) -> None:
    run_playbook("keys", **applied(place))


def _await_acceptance(place: Home) -> None:
    """Wait until the gateway accepts what the announced key signs.

    Raises:
        CommandError: It does not; nothing has changed for anybody.
    """
    from ._client import gateway

    tenant = next(iter(place.tenants), None)
    if tenant is None:
        return  # nobody has a token
    base = place.base_url
    proof = identity.announced_token(identity_directory(place), tenant, OPERATOR, base, base)
    deadline = time.monotonic() + _ACCEPTED_WITHIN_SECONDS
    accepted = 0
    while accepted < _TIMES_ACCEPTED:
        with gateway(place, proof) as client:
            refused = client.get("/v1/models").status_code == http.HTTPStatus.UNAUTHORIZED
        accepted = 0 if refused else accepted + 1
        if refused and time.monotonic() > deadline:
            raise CommandError(
                "the gateway does not accept the new key", "The old one goes on; run it again."
            )
        time.sleep(_POLL_SECONDS)


def _moment(until: int | None) -> str:
    if until is None:
        return "-"
    return datetime.datetime.fromtimestamp(until, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
