# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the kubernetes_records filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleTemplatePluginError
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import InventoryError
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    load_cluster_platform,
    records,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

DOCUMENTATION = r"""
name: kubernetes_records
short_description: What an installed platform says of itself
version_added: 0.1.0
description:
  - Makes the files of a platform's directory on this machine, among them C(platform.json), by which commands and the
    behaviour suite know it.
author: Inference-in-a-Box contributors (@inferencebox)
options:
  _input:
    description: Platform variables, as M(inferencebox.platform.validate_inventory) returns them.
    type: dict
    required: true
  cli:
    description: The inferencebox command, word by word.
    type: list
    elements: str
    required: true
  address:
    description: Host or IP address of the edge; empty where it has none.
    type: str
    default: ""
  authority:
    description: Certificates that vouch for the edge, as PEM; empty where there are none yet.
    type: str
    default: ""
  kubeconfig:
    description: Path of the kubeconfig; empty for kubectl's own.
    type: str
    default: ""
  context:
    description: Context of it; empty for its current one.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say what there is
  inferencebox.platform.state_files:
    files: "{{ platform | inferencebox.platform.kubernetes_records(cli=['/usr/local/bin/inferencebox']) }}"
"""

RETURN = r"""
_value:
  description: Rows with path, content and mode.
  type: list
  elements: dict
"""


def kubernetes_records(platform: Mapping[str, Any], **place: Any) -> list[dict[str, Any]]:
    """Make the files of a platform's directory.

    Raises:
        AnsibleTemplatePluginError: The platform is not valid, or is none of a cluster.
    """
    try:
        found = load_cluster_platform(to_plain(platform))
    except InventoryError as error:
        raise AnsibleTemplatePluginError(str(error)) from error
    return records.files(found, records.Place(**to_plain(place)))


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"kubernetes_records": kubernetes_records}
