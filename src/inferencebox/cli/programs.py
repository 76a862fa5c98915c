# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox programs``: what a node of plain binaries runs, built from Go modules."""

from __future__ import annotations

import typing as t
from pathlib import Path

import typer

from ..programs import building, collecting
from ._output import CommandError, print_text


def programs(
    directory: t.Annotated[Path, typer.Argument(help="Where they are put.")],
) -> None:
    """Build what a node of plain binaries runs; needs Go, and minutes the first time."""
    try:
        changed = collecting.collect(directory)
    except (building.BuildError, OSError) as error:
        raise CommandError(str(error)) from error
    print_text(f"{directory}: {', '.join(changed) or 'nothing'} new")
