# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox config``: the inventory as Ansible merges it, checked, shown, and described."""

from __future__ import annotations

import typing as t
from pathlib import Path

import typer
import yaml

from ._output import (
    EXIT_FAILED,
    EXIT_USAGE,
    CommandError,
    JsonOption,
    listed,
    print_json,
    print_text,
)
from ._runner import collection_root, default_inventory, existing_inventory
from .lifecycle import InventoryOption

if t.TYPE_CHECKING:
    from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import Platform

app = typer.Typer(
    help="Check, show and describe the inventory.", no_args_is_help=True, rich_markup_mode=None
)

HostOption = t.Annotated[
    str | None, typer.Option("--host", help="Host of the inventory.", show_default="the first")
]


@app.command()
def validate(
    inventory: InventoryOption = None, host: HostOption = None, *, as_json: JsonOption = False
) -> None:
    """Check the whole inventory and name every mistake with its remedy; nothing is changed."""
    source = inventory or default_inventory()
    found = load_inventory(source, host)
    if as_json:
        print_json({"valid": True, "inventory": source, "platform": found.name})
    else:
        counts = f"{_count(found.tenants, 'tenant')} and {_count(found.models, 'model')}"
        print_text(f"{source} is valid: platform {found.name} with {counts}")


@app.command()
def show(
    inventory: InventoryOption = None, host: HostOption = None, *, as_json: JsonOption = False
) -> None:
    """Print the inventory with every default filled in."""
    from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import to_vars

    variables = to_vars(load_inventory(inventory or default_inventory(), host))
    if as_json:
        print_json(variables)
    else:
        print_text(yaml.safe_dump(variables, sort_keys=False, allow_unicode=True).rstrip())


@app.command()
def objects(
    inventory: InventoryOption = None,
    host: HostOption = None,
    part: t.Annotated[
        str | None,
        typer.Option("--part", help="One part of the platform.", show_default="all of them"),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print the Kubernetes objects of the platform, for `kubectl apply --server-side -f -`."""
    from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes

    if part is not None and part not in kubernetes.PARTS:
        raise CommandError(
            f"there is no part {part!r}",
            f"Its parts are: {listed(kubernetes.PARTS)}.",
            exit_code=EXIT_USAGE,
        )
    platform = kubernetes.require_cluster(load_inventory(inventory or default_inventory(), host))
    made = kubernetes.objects(platform, part)
    if as_json:
        print_json({"apiVersion": "v1", "kind": "List", "items": made})
    else:
        print_text(kubernetes.to_yaml(made).rstrip())


@app.command()
def lint(
    files: t.Annotated[
        list[Path] | None,
        typer.Argument(help="More objects that will be in the cluster: files of YAML."),
    ] = None,
    inventory: InventoryOption = None,
    host: HostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Find what upstream would accept and then ignore, in the platform's objects and in others beside them."""
    from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
    from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes.lint import (
        lint as find,
    )

    platform = kubernetes.require_cluster(load_inventory(inventory or default_inventory(), host))
    made = kubernetes.objects(platform)
    made += [each for path in files or () for each in _objects_of(path)]
    findings = find(made)
    if as_json:
        print_json({"objects": len(made), "findings": [vars(found) for found in findings]})
    else:
        for found in findings:
            print_text(str(found))
        print_text(f"{_count(made, 'object')}, {_count(findings, 'finding')}")
    if findings:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the inventory, for editors that complete and check YAML."""
    from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import json_schema

    print_json(json_schema())


def _objects_of(path: Path) -> list[dict[str, t.Any]]:
    try:
        documents = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CommandError(f"{path} cannot be read: {reason}", exit_code=EXIT_USAGE) from error
    for each in documents:
        if not (
            isinstance(each, dict) and "kind" in each and "name" in (each.get("metadata") or {})
        ):
            raise CommandError(
                f"{path} holds something that is no Kubernetes object",
                "Each document needs kind and metadata.name.",
                exit_code=EXIT_USAGE,
            )
    return documents


def load_inventory(source: str, host: str | None = None) -> Platform:
    """Read an inventory as Ansible merges it, and validate it.

    Args:
        source: What Ansible takes after ``-i``.
        host: Whose variables; the first host's when None.

    Raises:
        CommandError: Ansible cannot read it, or there is no such host.
        InventoryError: Something in it is wrong.
    """
    from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load

    return load(read_variables(source, host))


def read_variables(source: str, host: str | None = None) -> dict[str, t.Any]:
    """Return the inventory's variables as Ansible merges and templates them, as plain data.

    Raises:
        CommandError: Ansible cannot read it, or there is no such host.
    """
    existing_inventory(source)
    # Ansible takes as long to import as everything else together.
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader
    from ansible.template import Templar
    from ansible.vars.manager import VariableManager
    from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
        select_variables,
    )
    from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

    init_plugin_loader([str(collection_root().parents[2])])
    try:
        loader = DataLoader()
        manager = InventoryManager(loader=loader, sources=[source])
        hosts = {each.name: each for each in manager.get_hosts()}
        name = host or next(iter(hosts), None)
        if name not in hosts:
            wanted = f"no host {host!r}" if host else "no host"
            raise CommandError(
                f"{source} has {wanted}", f"Its hosts are: {listed(hosts)}.", exit_code=EXIT_USAGE
            )
        variables = VariableManager(loader=loader, inventory=manager).get_vars(host=hosts[name])
        templar = Templar(loader=loader, variables=variables)
        return dict(to_plain(templar.template(select_variables(variables))))
    except AnsibleError as error:
        raise CommandError(
            f"Ansible cannot read {source}: {error}{_place(error)}", exit_code=EXIT_USAGE
        ) from error


def _place(error: BaseException | None) -> str:
    """File, line and column in brackets, where the error or one that led to it knows them."""
    while error is not None:
        origin = getattr(error, "obj", None)
        if getattr(origin, "line_num", None):
            return f" ({origin})"
        error = error.__cause__ or error.__context__
    return ""


def _count(things: t.Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
