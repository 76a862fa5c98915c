# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the kubernetes_objects filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleTemplatePluginError
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import InventoryError
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    PARTS,
    Callers,
    load_cluster_platform,
    objects,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: kubernetes_objects
short_description: The Kubernetes objects of a platform
version_added: 0.1.0
description:
  - Turns a platform into the Kubernetes objects that it consists of, in the order in which they are applied.
  - Nothing is asked of a cluster; the same platform always gives the same objects.
author: Inference-in-a-Box contributors (@inferencebox)
positional: part
options:
  _input:
    description: Platform variables, as M(inferencebox.platform.validate_inventory) returns them.
    type: dict
    required: true
  part:
    description: One part of the platform, as the file names of P(inferencebox.platform.kubernetes_manifests#filter) have them; all of it if left out.
    type: str
  callers:
    description:
      - Who vouches for callers, as M(inferencebox.platform.identity) returns it; C(jwks), C(keys) with id and tenant,
        and C(authorities), certificates of issuers' hosts. Part C(gateway) is not complete without it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Apply the tenants of a platform
  inferencebox.platform.apply:
    objects: "{{ platform | inferencebox.platform.kubernetes_objects('tenants') }}"
    platform: demo
    part: tenants
"""

RETURN = r"""
_value:
  description: Objects as plain data.
  type: list
  elements: dict
"""


def kubernetes_objects(
    platform: Mapping[str, Any],
    part: str | None = None,
    callers: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Make the objects of a platform.

    Raises:
        AnsibleTemplatePluginError: The platform is not valid, is none of a cluster, or has no such part.
    """
    if part is not None and part not in PARTS:
        raise AnsibleTemplatePluginError(
            f"kubernetes_objects knows no part {part!r}; its parts are {', '.join(PARTS)}"
        )
    try:
        found = load_cluster_platform(to_plain(platform))
        named = Callers.of(found, **to_plain(callers)) if callers else None
        return objects(found, part, named)
    except InventoryError as error:
        raise AnsibleTemplatePluginError(str(error)) from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"kubernetes_objects": kubernetes_objects}
