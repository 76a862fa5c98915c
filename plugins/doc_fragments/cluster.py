# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation of every module that speaks to a cluster says; `cluster_module` reads these options."""

from __future__ import annotations


class ModuleDocFragment:
    """Parts of a module's documentation, by the name that follows the fragment's."""

    DOCUMENTATION = r"""
requirements:
  - httpx
  - PyYAML
options:
  kubeconfig:
    description: Path of the kubeconfig; by default E(KUBECONFIG) or C(~/.kube/config), or in a pod its service account.
    type: path
  context:
    description: Context of the kubeconfig; by default its current one.
    type: str
"""

    READS = r"""
attributes:
  check_mode:
    support: full
    description: The module only reads.
  diff_mode:
    support: none
    description: The module only reads.
  idempotent:
    support: full
    description: The module only reads.
"""
