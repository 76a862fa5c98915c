# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the local_plan filter."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.inferencebox.platform.plugins.module_utils import inventory
from ansible_collections.inferencebox.platform.plugins.module_utils.local.layout import Host
from ansible_collections.inferencebox.platform.plugins.module_utils.local.plan import LocalPlan
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: local_plan
short_description: What a platform needs on one machine
version_added: 0.1.0
description:
  - Turns a validated platform and facts of the machine into plain data for the roles of the local target.
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
    choices: [users, directories, certificates, credentials, artifacts, gateways, gateway_waits, tier1, tier2, prometheus, replicas, outcome, endpoints, targets,
              records, listeners]
  host:
    description: Facts of the machine, see module_utils/local/layout.py.
    type: dict
    required: true
  needs:
    description: What the part depends on beside the platform, as keyword arguments of the plan's method.
    type: dict
"""

EXAMPLES = r"""
directories: "{{ platform | inferencebox.platform.local_plan('directories', host=local_host) }}"
"""

RETURN = r"""
_value:
  description: The part, as JSON-ready data.
  type: raw
"""


PARTS: tuple[str, ...] = (
    "users",
    "directories",
    "listeners",
    "certificates",
    "tier1",
    "tier2",
    "gateways",
    "gateway_waits",
    "artifacts",
    "credentials",
    "replicas",
    "outcome",
    "endpoints",
    "targets",
    "prometheus",
    "records",
)


def local_plan(
    platform: t.Mapping[str, t.Any],
    part: str,
    host: t.Mapping[str, t.Any],
    needs: t.Mapping[str, t.Any] | None = None,
) -> t.Any:
    """One part of the plan.

    Raises:
        InventoryError: The platform is not valid.
        ValueError: There is no such part.
    """
    if part not in PARTS:
        raise ValueError(f"no part {part!r}; its parts are {', '.join(PARTS)}")
    plan = LocalPlan(inventory.load(to_plain(platform)), Host(**to_plain(host)))
    result = getattr(plan, part)(**(to_plain(needs) if needs else {}))
    return asdict(result) if part in ("tier1", "tier2") else result


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name to function."""
        return {"local_plan": local_plan}
