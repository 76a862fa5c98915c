# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox bundle``: what an installation without internet needs, in one directory."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import typer

from ..bundle import manifest
from ..bundle.errors import BundleError
from ._output import CommandError, print_text
from ._runner import default_inventory, run_playbook
from .lifecycle import ExtraVarsOption, InventoryOption, VerboseOption, extra_options

app = typer.Typer(help="Fill a directory for installations without internet, and check it.")

DirectoryArgument = t.Annotated[Path, typer.Argument(help="The directory: platform_bundle.")]
_GIB = 2**30


@app.command()
def fill(
    directory: DirectoryArgument,
    inventory: InventoryOption = None,
    extra_vars: ExtraVarsOption = None,
    *,
    verbose: VerboseOption = False,
) -> None:
    """Fetch or build what an inventory needs and the directory does not have."""
    place = json.dumps({"platform_bundle": str(directory.absolute())})
    outcome = run_playbook(
        "bundle",
        inventory=inventory or default_inventory(),
        options=[*extra_options(extra_vars), "-e", place],
        verbose=verbose,
    )
    files = _read(directory)["files"]
    size = sum(row["bytes"] for row in files) / _GIB
    said = "filled" if outcome.changed else "nothing was missing"
    print_text(f"{said}, {len(files)} files, {size:.1f} GiB, {outcome.seconds:.1f} s")


@app.command()
def check(directory: DirectoryArgument) -> None:
    """Compare every file with its checksum, as after a journey."""
    try:
        problems = manifest.problems(directory)
    except BundleError as error:
        raise CommandError(str(error)) from error
    if problems:
        raise CommandError("\n".join(problems), "Bring these files again, or fill the bundle.")
    print_text(f"{len(_read(directory)['files'])} files are as they were made")


def _read(directory: Path) -> dict[str, t.Any]:
    try:
        return manifest.read(directory)
    except BundleError as error:
        raise CommandError(str(error)) from error
