# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects as the YAML that people read and `kubectl apply -f` takes."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from .objects import Object


class _Dumper(yaml.SafeDumper):
    """Writes what is meant twice twice, and text of several lines as such."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT002 - PyYAML's
        # Lists stand deeper than the key that holds them, as yamllint and most manifests have it.
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(objects: Iterable[Object]) -> str:
    """Write objects as a YAML stream, one document each.

    Returns:
        Text in which each document starts with ``---``; empty for no objects.
    """
    return yaml.dump_all(
        objects, Dumper=_Dumper, sort_keys=False, explicit_start=True, width=110, allow_unicode=True
    )
