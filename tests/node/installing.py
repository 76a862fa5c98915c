# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node with a platform, for as long as tests look at it."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from pathlib import Path

from . import failure
from .inventory import BUNDLE
from .own_node import OwnNode


@contextlib.contextmanager
def installed(
    directory: Path,
    variables: t.Mapping[str, t.Any],
    *,
    first: t.Mapping[str, t.Any] | None = None,
) -> t.Iterator[OwnNode]:
    """Install a platform by site.yml from a bundle alone, and remove it with its node in the end.

    Args:
        directory: Where what it writes lies.
        variables: What differs from inventories/node.
        first: What is installed instead; the rest is then left to who asked, and its images are there.

    Raises:
        AssertionError: It cannot be installed; where its logs are kept is printed.
    """
    own = OwnNode(directory, BUNDLE, variables)
    own.bundle.mkdir(parents=True, exist_ok=True)
    own.play("playbooks/bundle.yml")
    try:
        try:
            (own if first is None else dataclasses.replace(own, variables=first)).play("site.yml")
        except AssertionError:
            print(failure.keep(own, "the install"))
            raise
        yield own
    finally:
        own.remove()
