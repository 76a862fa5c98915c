# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox up``, ``down`` and ``clean``: the platform comes, stops and goes."""

from __future__ import annotations

import json
import shlex
import sys
import typing as t
from pathlib import Path

import typer

from ._home import Home, HomeOption, PlatformOption, find_home, installed, read_home
from ._output import CommandError, print_text, stdout
from ._runner import (
    INVENTORY_VARIABLE,
    Outcome,
    collection_root,
    default_inventory,
    run_playbook,
)

# The variables of the last successful run, as they were applied; written by the playbook.
APPLIED = "state/inventory.json"
_APPLY_AGAIN = "Run `inferencebox up` again, with the platform's inventory."

InventoryOption = t.Annotated[
    str | None,
    typer.Option(
        "--inventory",
        "-i",
        envvar=INVENTORY_VARIABLE,
        help="Inventory directory or file.",
        show_default="the collection's inventories/local",
    ),
]
ExtraVarsOption = t.Annotated[
    list[str] | None,
    typer.Option("--extra-vars", "-e", help="Variables, as NAME=VALUE, JSON or @file. Repeatable."),
]
VerboseOption = t.Annotated[
    bool, typer.Option("--verbose", "-v", help="Show Ansible's own output.")
]


def up(
    inventory: InventoryOption = None,
    tags: t.Annotated[str | None, typer.Option(help="Only what has one of these tags.")] = None,
    limit: t.Annotated[str | None, typer.Option(help="Only these hosts.")] = None,
    extra_vars: ExtraVarsOption = None,
    *,
    check: t.Annotated[
        bool, typer.Option("--check", help="Change nothing; tell what would change.")
    ] = False,
    diff: t.Annotated[bool, typer.Option("--diff", help="Show what changes in files.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Install and start the platform, or bring it to what the inventory says."""
    options = [*extra_options(extra_vars)]
    options += ["--check"] if check else []
    options += ["--diff"] if diff else []
    options += ["--tags", tags] if tags else []
    options += ["--limit", limit] if limit else []
    outcome = run_playbook(
        "site",
        inventory=inventory or default_inventory(),
        options=options,
        verbose=verbose,
        diff=diff,
    )
    print_text(_result(outcome, check=check))
    if check:
        return
    if outcome.home and (outcome.home / "platform.json").is_file():
        stdout().print(summary(read_home(outcome.home)), markup=True)


def down(
    inventory: InventoryOption = None,
    extra_vars: ExtraVarsOption = None,
    *,
    verbose: VerboseOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Stop every process of the platform; its files stay."""
    outcome = run_playbook(
        "down", verbose=verbose, **named_target(inventory, extra_vars, home, platform)
    )
    said = "stopped" if outcome.changed else "nothing was running"
    print_text(f"{said}, {outcome.seconds:.1f} s")


def clean(
    inventory: InventoryOption = None,
    extra_vars: ExtraVarsOption = None,
    *,
    yes: t.Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    verbose: VerboseOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Stop the platform and remove its files and Unix users; models, keys and logs are gone then."""
    if not yes and sys.stdin.isatty():
        typer.confirm("Remove the platform with all its keys, models and logs?", abort=True)
    outcome = run_playbook(
        "uninstall", verbose=verbose, **named_target(inventory, extra_vars, home, platform)
    )
    said = "removed" if outcome.changed else "nothing to remove"
    print_text(f"{said}, {outcome.seconds:.1f} s")


class Target(t.TypedDict):
    """Arguments of `run_playbook` that name a platform."""

    inventory: str
    options: list[str]


def applied(place: Home) -> Target:
    """Name an installed platform to a playbook, by the inventory that was applied to it.

    Raises:
        CommandError: The platform does not have it.
    """
    file = place.path / APPLIED
    try:
        known = isinstance(json.loads(file.read_text(encoding="utf-8")), dict)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", _APPLY_AGAIN) from error
    except ValueError:
        known = False
    if not known:
        raise CommandError(f"{file} is damaged", _APPLY_AGAIN)
    fixed = {
        "platform_home": str(place.path),
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return {"inventory": "localhost,", "options": ["-e", f"@{file}", "-e", json.dumps(fixed)]}


def named_target(
    inventory: str | None, extra_vars: list[str] | None, home: Path | None, platform: str | None
) -> Target:
    """Name the platform that options of `down` and `clean` mean to a playbook."""
    if home or platform or not inventory:
        # What was applied names all that is there, also when the inventory has changed since.
        places = _named(home, platform) if home or platform else installed()
        if len(places) == 1 and (places[0].path / APPLIED).is_file():
            target = applied(places[0])
            return {**target, "options": [*target["options"], *extra_options(extra_vars)]}
        if home or platform:
            return applied(places[0])  # says what is missing
    return {"inventory": inventory or default_inventory(), "options": extra_options(extra_vars)}


def _named(home: Path | None, platform: str | None) -> list[Home]:
    """The platform that is meant. To stop or remove it, what was applied is enough, whatever became of platform.json."""
    try:
        return [find_home(home, platform)]
    except CommandError:
        place = Home(home.expanduser().absolute(), {}) if home else None
        if place is None or not (place.path / APPLIED).is_file():
            raise
        return [place]


def extra_options(extra_vars: list[str] | None) -> list[str]:
    """Write extra variables as Ansible takes them."""
    return [part for each in extra_vars or [] for part in ("-e", each)]


def _result(outcome: Outcome, *, check: bool) -> str:
    seconds = f"{outcome.seconds:.1f} s"
    if not outcome.changed:
        return f"nothing to change, {seconds}"
    things = "1 change" if outcome.changed == 1 else f"{outcome.changed} changes"
    return f"{things} would be made, {seconds}" if check else f"up, {things}, {seconds}"


def summary(place: Home) -> str:
    """Write what a person needs after `up`, as rich markup: addresses, a token, a request that works, what next."""
    tenant, model = _showcase(place)
    command = command_for(place)
    lines = [
        "",
        f"[bold]{place.name}[/] is up at [bold]{place.base_url}[/] ({place.data['target']} target)",
        *(
            f"  {name}: {', '.join(each['models']) or 'no models'}"
            for name, each in place.tenants.items()
        ),
        *(f"  {_escaped(line)}" for line in _lacking(place)),
    ]
    if tenant:
        lines += ["", "Get a token:", f"  {command} token {tenant}"]
    if tenant and model:
        lines += ["", "Ask a model:", f"  {_escaped(curl(place, tenant, model))}"]
        talk = next(
            (
                name
                for name in place.tenant(tenant)["models"]
                if "chat" in place.model(name)["apis"]
            ),
            None,
        )
        lines += ["", "Try next:"]
        if talk:
            lines += [f"  {command} chat {talk} --tenant {tenant} --stream 'What is a gateway?'"]
        lines += [f"  {command} status", f"  {command} verify"]
    return "\n".join(lines)


def _lacking(place: Home) -> list[str]:
    """What only root, or a package of the system, can add and this platform does without."""
    lines = []
    if place.path.stat().st_uid:
        lines.append(
            "not there without root: Unix users that keep tenants' processes apart; all run as you"
        )
    if reason := place.record("prometheus").get("reason"):
        lines.append(f"no Prometheus: {reason}")
    return lines


def command_for(place: Home) -> str:
    """Return this program as a shell would start it for a platform, from any directory."""
    program = Path(sys.executable).with_name("inferencebox")
    # Without it, only the collection is installed.
    own = [sys.executable, str(collection_root() / "src/inferencebox")]
    command = shlex.join([str(program)] if program.exists() else own)
    homes = [each.path for each in installed()]
    # Where the platform is found without help, the shorter line is the better one.
    return (
        command
        if homes == [place.path]
        else f"INFERENCEBOX_HOME={shlex.quote(str(place.path))} {command}"
    )


def curl(place: Home, tenant: str, model: str) -> str:
    """Return one curl command that works when pasted into a shell.

    Args:
        place: The platform.
        tenant: Who asks.
        model: Which model; its example is the request.
    """
    example = place.model(model)["example"]
    host, port = place.address
    # --resolve changes the address only; another port needs the other option.
    shown = f"[{host}]" if ":" in host else host
    route = (
        f"--resolve {place.host}:{port}:{shown}"
        if port == place.port
        else f"--connect-to {place.host}:{place.port}:{shown}:{port}"
    )
    return " ".join(
        [
            f"curl --cacert {shlex.quote(str(place.ca_file))} {route}",
            f'-H "Authorization: Bearer $({command_for(place)} token {tenant})"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(example['body'], separators=(',', ':')))}",
            place.base_url + example["path"],
        ]
    )


def _showcase(place: Home) -> tuple[str | None, str | None]:
    """Choose the request that a newcomer reads most easily: the shortest example that any tenant may send."""
    pairs = [
        (tenant, model)
        for tenant, each in place.tenants.items()
        for model in each["models"]
        if "example" in place.model(model)
    ]
    if not pairs:
        return next(iter(place.tenants), None), None
    return min(pairs, key=lambda pair: len(json.dumps(place.model(pair[1])["example"])))


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
