# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the node_plan filter."""

from __future__ import annotations

import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils import inventory
from ansible_collections.inferencebox.platform.plugins.module_utils.node.layout import Host
from ansible_collections.inferencebox.platform.plugins.module_utils.node.plan import NodePlan
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: node_plan
short_description: What a Kubernetes node of plain binaries needs on its machine
version_added: 0.1.0
description:
  - Turns a validated platform and facts of the machine into plain data for the provider V(node).
author: Inference-in-a-Box contributors (@inferencebox)
positional: part
options:
  _input:
    description: Platform variables, as M(inferencebox.platform.validate_inventory) returns them.
    type: dict
    required: true
  part:
    description: Which part of the plan is wanted.
    type: str
    required: true
    choices: [needs, directories, tool, authorities, files, pod_network, machine, images, runtime, servers, releases, clients, objects, pods, callers, kubeconfig]
  host:
    description: Facts of the machine, as M(inferencebox.platform.node_info) returns them. Parts that speak of programs need them.
    type: dict
"""

EXAMPLES = r"""
directories: "{{ platform | inferencebox.platform.node_plan('directories') }}"
"""

RETURN = r"""
_value:
  description: The part, as JSON-ready data.
  type: raw
"""

PARTS: tuple[str, ...] = (
    "needs",
    "directories",
    "tool",
    "authorities",
    "files",
    "pod_network",
    "machine",
    "images",
    "runtime",
    "servers",
    "releases",
    "clients",
    "objects",
    "pods",
    "callers",
    "kubeconfig",
)


def node_plan(
    platform: t.Mapping[str, t.Any], part: str, host: t.Mapping[str, t.Any] | None = None
) -> t.Any:
    """One part of the plan.

    Raises:
        InventoryError: The platform is not valid.
        ValueError: There is no such part, or it needs facts that are not given.
    """
    if part not in PARTS:
        raise ValueError(f"no part {part!r}; its parts are {', '.join(PARTS)}")
    known = Host(**to_plain(host)) if host else None
    return getattr(NodePlan(inventory.load(to_plain(platform)), known), part)()


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name to function."""
        return {"node_plan": node_plan}
