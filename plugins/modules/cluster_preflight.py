#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the cluster_preflight module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_preflight
short_description: Whether a Kubernetes cluster can take a platform
version_added: 0.1.0
description:
  - Looks for everything that would make an install fail halfway, or take something from somebody else, and reports each
    as one sentence. Changes nothing.
  - Looked at are the releases of Kubernetes and Helm, the user's rights, the nodes' processors, namespaces and
    CustomResourceDefinitions that are there already, storage, and what gives addresses to Services.
extends_documentation_fragment:
  - inferencebox.platform.cluster
  - inferencebox.platform.cluster.reads
author: Inference-in-a-Box contributors (@inferencebox)
options:
  demands:
    description: What is looked for, as P(inferencebox.platform.kubernetes_components#filter) writes it.
    type: dict
    required: true
  helm:
    description: The helm command; the one in C(PATH) when left out.
    type: path
"""

EXAMPLES = r"""
- name: Look at the cluster
  inferencebox.platform.cluster_preflight:
    demands: "{{ platform | inferencebox.platform.kubernetes_components('demands') }}"
  register: cluster
"""

RETURN = r"""
version:
  description: Release of the API server.
  type: str
  returned: success
  sample: v1.35.4
problems:
  description: Why the platform cannot be installed, one sentence each.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)


def main() -> None:
    """Run the module."""
    module = cluster_module.ask(
        demands={"type": "dict", "required": True},
        helm={"type": "path"},
    )
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
        api,
        survey,
    )

    params = module.params
    helm = None
    if program := params["helm"] or module.get_bin_path("helm"):
        code, said, _ = module.run_command([program, "version", "--template", "{{ .Version }}"])
        helm = said.strip() if code == 0 else None
    try:
        demands = survey.Demands.of(params["demands"])
        with api.connect(params["kubeconfig"], params["context"]) as cluster:
            found = survey.survey(cluster, demands, helm)
    except (PlatformError, TypeError) as error:
        module.fail_json(msg=str(error))
    for warning in found.warnings:
        module.warn(warning)
    module.exit_json(changed=False, version=found.version, problems=found.problems)


if __name__ == "__main__":
    main()
