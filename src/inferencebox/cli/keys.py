# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox key``: API keys of tenants, made, listed, revoked and rotated while everything runs."""

from __future__ import annotations

import datetime
import re
import time
import typing as t
from dataclasses import asdict

import typer
from ansible_collections.inferencebox.platform.plugins.module_utils.host import identity
from rich.markup import escape

from ._durations import duration
from ._home import Home, HomeOption, PlatformOption, find_home
from ._identity import identity_directory, issuer_name_of_keys
from ._output import CommandError, JsonOption, listed, print_json, print_table, print_text, stderr
from ._runner import run_playbook
from .lifecycle import applied

app = typer.Typer(help="API keys of tenants.", rich_markup_mode=None)

KeyArgument = t.Annotated[
    str, typer.Argument(metavar="ID", help="The key's id, or the name of an active key.")
]
KeyTenantOption = t.Annotated[
    str | None, typer.Option("--tenant", "-t", help="Look among this tenant's keys only.")
]
ExpiresOption = t.Annotated[
    float | None,
    typer.Option(
        parser=duration,
        metavar="DURATION",
        help="How long it is valid, as 12h or 90d.",
        show_default="365d",
    ),
]
_FINGERPRINT = "fingerprint"
_LONGEST_NAME = 60


@app.command()
def create(
    tenant: t.Annotated[str, typer.Argument(help="Owner of the key.")],
    name: t.Annotated[str, typer.Option("--name", help="What its owner calls it.")],
    expires: ExpiresOption = None,
    requests_per_minute: t.Annotated[
        int | None, typer.Option(min=1, help="Its own limit, besides the tenant's.")
    ] = None,
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Make an API key and print it, once: only its fingerprint is kept."""
    place = find_home(home, platform)
    place.tenant(tenant)
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise typer.BadParameter(
            f"{name!r} is no name; write up to {_LONGEST_NAME} characters that can be read"
        )
    _show_new(*_create(place, tenant, name, expires, requests_per_minute), as_json=as_json)


@app.command("list")
def list_(
    tenant: KeyTenantOption = None,
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """List API keys, also those that are revoked or have expired."""
    place = find_home(home, platform)
    if tenant:
        place.tenant(tenant)
    records = identity.list_keys(identity_directory(place), tenant)
    if as_json:
        print_json([_described(record) for record in records])
        return
    print_table(
        ["ID", "TENANT", "NAME", "STATE", "EXPIRES", ">REQUESTS/MIN"],
        [
            [
                escape(record.id),
                escape(record.tenant),
                escape(record.name),
                state(record),
                _day(record.expires),
                str(record.requests_per_minute or "-"),
            ]
            for record in records
        ],
    )


@app.command()
def revoke(
    key: KeyArgument,
    tenant: KeyTenantOption = None,
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Revoke an API key; the gateway refuses it from now on."""
    place = find_home(home, platform)
    record = identity.revoke_key(identity_directory(place), key, tenant)
    _tell_gateway(place)
    if as_json:
        print_json(_described(record))
    else:
        print_text(f"revoked {record.name} of {record.tenant} ({record.id})")


@app.command()
def rotate(
    key: KeyArgument,
    tenant: KeyTenantOption = None,
    expires: ExpiresOption = None,
    *,
    revoke_old: t.Annotated[
        bool,
        typer.Option("--revoke-old", help="Refuse the old key as soon as the new one is accepted."),
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Make a successor of an API key, with its limit, and print it. Both are accepted until the old one is revoked."""
    place = find_home(home, platform)
    old = _active(place, key, tenant)
    names = {each.name for each in identity.active_keys(identity_directory(place), old.tenant)}
    record, secret = _create(
        place, old.tenant, successor(old.name, names), expires, old.requests_per_minute
    )
    if revoke_old:
        identity.revoke_key(identity_directory(place), old.id)
        _tell_gateway(place)
    _show_new(record, secret, as_json=as_json)
    if not revoke_old:
        stderr().print(
            f"The old key is still accepted; end it with `inferencebox key revoke {old.id}`.",
            markup=False,
        )


def state(record: identity.KeyRecord) -> str:
    """Say in one word whether a key is accepted."""
    if record.revoked is not None:
        return "revoked"
    return "active" if record.active() else "expired"


def successor(name: str, taken: t.Collection[str]) -> str:
    """Return the next free name: ``ci`` is followed by ``ci-2``, that by ``ci-3``."""
    match = re.fullmatch(r"(.*)-(\d+)", name)
    stem, number = (match[1], int(match[2])) if match else (name, 1)
    while (candidate := f"{stem}-{number + 1}") in taken:
        number += 1
    return candidate


def _create(
    place: Home, tenant: str, name: str, expires: float | None, requests_per_minute: int | None
) -> tuple[identity.KeyRecord, str]:
    directory = identity_directory(place)
    record, secret = identity.create_key(
        directory,
        tenant,
        name,
        audience=place.base_url,
        issuer=issuer_name_of_keys(place),
        expires=int(time.time() + expires) if expires else None,
        requests_per_minute=requests_per_minute,
    )
    try:
        _tell_gateway(place)
    except BaseException:
        # Nobody has seen it and no gateway knows it: leave nothing that looks like a key.
        identity.revoke_key(directory, record.id)
        raise
    return record, secret


def _active(place: Home, key: str, tenant: str | None) -> identity.KeyRecord:
    records = identity.active_keys(identity_directory(place), tenant)
    meant = [each for each in records if each.id == key] or [
        each for each in records if each.name == key
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        owners = listed(each.tenant for each in meant)
        raise CommandError(f"several tenants have a key named {key!r}: {owners}", "Give its id.")
    raise CommandError(f"there is no active key {key!r}", "`inferencebox key list` shows them.")


def _tell_gateway(place: Home) -> None:
    run_playbook("keys", **applied(place))


def _show_new(record: identity.KeyRecord, secret: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_described(record), "key": secret})
        return
    print_text(secret)
    stderr().print(
        f"Key {record.name} of {record.tenant} ({record.id}) is valid until {_day(record.expires)}. It is shown only now.",
        markup=False,
    )


def _described(record: identity.KeyRecord) -> dict[str, t.Any]:
    return {name: value for name, value in asdict(record).items() if name != _FINGERPRINT} | {
        "state": state(record)
    }


def _day(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d")
