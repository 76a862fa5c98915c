#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the apply module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
short_description: Apply a platform's objects to a Kubernetes cluster
version_added: 0.1.0
description:
  - Applies many objects at once by server-side apply, in the order in which they depend on each other. Namespaces and
    CustomResourceDefinitions come first, policies before what they guard, routes after what they lead to.
  - Unknown fields are refused. Fields that another manager set to another value are named and stay as they are.
  - Each object gets the labels C(app.kubernetes.io/managed-by) and C(inferencebox.io/platform), which say whose it is,
    and the field manager C(inferencebox-) followed by the platform's name, which says who made it.
  - When an object is refused, what was applied before it stays, nothing that comes after it is applied, and every
    mistake in the rest is named as well. Run it again when these are corrected.
extends_documentation_fragment:
  - inferencebox.platform.cluster
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description:
      - The API server says what would change (dry run). What lies in a namespace, or is of a kind, that does not exist yet
        is reported as created, with the message that it was not tried.
  diff_mode:
    support: full
    description: Shows the fields that the platform applies; values of Secrets are hidden.
  idempotent:
    support: full
    description: An object counts as changed only when fields that the platform applies are.
options:
  objects:
    description: Objects to apply, in any order.
    type: list
    elements: dict
    required: true
  manifests:
    description:
      - Files with further objects as YAML, in any order; paths, or addresses that begin with C(https://).
      - An object that O(objects) hold as well is theirs with the fields of O(objects) laid over it; one that O(objects)
        hold with C($patch=delete), as in Kustomize, is left out.
    type: list
    elements: str
    default: []
  images:
    description: Names of images in O(manifests), and under which name each is asked for instead.
    type: dict
    default: {}
  platform:
    description: Name of the platform that the objects belong to.
    type: str
    required: true
  part:
    description:
      - Name of a part of the platform that consists of just these objects, as label C(inferencebox.io/part).
        It limits what O(prune) removes. Without it, objects stay with the part that they were applied with.
    type: str
  prune:
    description:
      - Remove what this platform, or this O(part) of it, applied before and O(objects) no longer holds, when everything
        else is applied and ready. Objects that controllers derived and objects of others are left alone, but for those in
        a namespace that goes.
    type: bool
    default: false
  prune_definitions:
    description: Let O(prune) remove CustomResourceDefinitions, and with them all objects of their kinds, whoever made them.
    type: bool
    default: false
  take_ownership:
    description: Fields that may be taken over from other managers, as an earlier run named them.
    type: list
    elements: dict
    default: []
    suboptions:
      kind: {description: Kind of the object., type: str, required: true}
      name: {description: Its name., type: str, required: true}
      namespace: {description: Its namespace., type: str}
      fields: {description: "Paths of the fields, C(.spec.replicas) say.", type: list, elements: str, required: true}
  hold:
    description:
      - Apply only what is safe before everything is ready, and remove nothing. A route changes only if no version but the stable one gets more requests; a
        canary whose version becomes the stable one stays. Where C(held_back) is returned as true, apply the objects again without it.
      - Excludes O(prune).
    type: bool
    default: false
  wait:
    description: Wait until every object is ready, and until what is pruned is gone.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait. An object that says itself that it cannot become ready ends the wait before. The error names
        each object that is late and what it says; what keeps its pods is told while it is waited for.
    type: int
    default: 300
  fixed_nodes:
    description:
      - Nobody adds nodes to the cluster. When all that is late are pods that no node takes, and nothing gives room back, the wait
        ends.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Apply the tenants, wait for them, and remove those that left the inventory
  inferencebox.platform.apply:
    objects: "{{ tenant_objects }}"
    platform: demo
    part: tenants
    prune: true
    wait: true

- name: Take the replica count over from whoever scaled by hand
  inferencebox.platform.apply:
    objects: "{{ model_objects }}"
    platform: demo
    take_ownership:
      - {kind: Deployment, namespace: tenant-a, name: transformer, fields: [.spec.replicas]}

- name: Remove the platform
  inferencebox.platform.apply:
    objects: []
    platform: demo
    prune: true
    wait: true
"""

RETURN = r"""
objects:
  description: What became of each object, in the order in which they were applied or pruned.
  type: list
  elements: dict
  returned: always
  contains:
    api_version: {description: Version of its kind., type: str}
    kind: {description: Its kind., type: str}
    namespace: {description: Its namespace; empty for objects of the cluster., type: str}
    name: {description: Its name., type: str}
    status:
      description:
        - One of created, changed, unchanged, deleted, terminating (deleted by an earlier run, and not gone yet),
          kept (a CustomResourceDefinition that is not wanted), failed
          and skipped (not applied because others were refused, or because of O(hold)).
      type: str
    message: {description: "What is wrong with it, or why check mode could not try it; else empty.", type: str}
    conflicts: {description: "Fields that belong to others, with keys field and manager.", type: list, elements: dict}
held_back:
  description: Whether O(hold) held something back, or something is there that O(prune) would remove.
  type: bool
  returned: always
counts:
  description: Number of objects by status.
  type: dict
  returned: always
  sample: {created: 3, unchanged: 297}
"""

from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)


def main() -> None:
    """Run the module."""
    takeover = {
        "kind": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str"},
        "fields": {"type": "list", "elements": "str", "required": True},
    }
    module, shown = cluster_module.begin(
        objects={"required": True},
        manifests={"type": "list", "elements": "str", "default": []},
        images={"type": "dict", "default": {}},
        part={"type": "str"},
        prune={"type": "bool", "default": False},
        prune_definitions={"type": "bool", "default": False},
        take_ownership={
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": takeover,
        },
        hold={"type": "bool", "default": False},
        wait={"type": "bool", "default": False},
        wait_timeout={"type": "int", "default": 300},
        fixed_nodes={"type": "bool", "default": False},
    )
    # Needs a library whose lack has been told by now.
    from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
        manifests,
        synchronising,
    )

    params = module.params
    if params["hold"] and params["prune"]:
        module.fail_json(msg="hold and prune exclude each other", invocation=shown)
    try:
        objects = params["objects"]
        if params["manifests"]:
            published = manifests.renamed(manifests.read(params["manifests"]), params["images"])
            objects = manifests.overlaid(published, objects)
        report = synchronising.synchronise(
            synchronising.Request(
                objects=objects,
                platform=params["platform"],
                part=params["part"] or "",
                prune=params["prune"],
                prune_definitions=params["prune_definitions"],
                take_ownership=params["take_ownership"],
                hold=params["hold"],
                wait_timeout=params["wait_timeout"] if params["wait"] else 0,
                fixed_nodes=params["fixed_nodes"],
                kubeconfig=params["kubeconfig"],
                context=params["context"],
                check=module.check_mode,
                diff=module._diff,  # noqa: SLF001 - Ansible's documented name for it
            )
        )
    except PlatformError as error:
        module.fail_json(msg=str(error), invocation=shown, objects=[], counts={})
    for warning in report.warnings:
        module.warn(warning)
    result = {**report.result(), "invocation": shown}
    if report.problem:
        module.fail_json(msg=report.problem, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
