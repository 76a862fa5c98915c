# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command tree: which function is which command."""

from __future__ import annotations

import importlib.metadata
import typing as t
from collections.abc import Sequence

import typer

from . import (
    bundle,
    call,
    config,
    keys,
    lifecycle,
    logs,
    models,
    signing_keys,
    status,
    tenants,
    token,
    verify,
)
from ._home import RootHomeOption, RootPlatformOption
from ._output import EXIT_USAGE, guarded, print_text

app = typer.Typer(
    name="inferencebox",
    help="A multi-tenant inference platform in a box.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (
    lifecycle.up,
    lifecycle.down,
    lifecycle.clean,
    status.status,
    verify.verify,
    token.token,
    models.models,
    tenants.tenants,
    call.predict,
    call.chat,
    logs.logs,
):
    app.command()(command)
app.add_typer(keys.app, name="key")
app.add_typer(signing_keys.app, name="signing-key")
app.add_typer(config.app, name="config")
app.add_typer(bundle.app, name="bundle")


def _version(value: bool) -> None:
    if value:
        print_text(importlib.metadata.version("inferencebox"))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    home: RootHomeOption = None,  # noqa: ARG001 - read by the commands
    platform: RootPlatformOption = None,  # noqa: ARG001 - read by the commands
    *,
    version: t.Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A multi-tenant inference platform in a box."""
    if context.invoked_subcommand is None and not version:
        print_text(context.get_help())
        raise typer.Exit(EXIT_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; those of the process when None.

    Returns:
        The exit code, as `_output` lists them.
    """
    return guarded(
        lambda: app(
            args=list(arguments) if arguments is not None else None,
            standalone_mode=False,
            prog_name="inferencebox",
        )
    )
