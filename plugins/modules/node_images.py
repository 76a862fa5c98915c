#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the node_images module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_images
short_description: Import images into a Kubernetes node
version_added: 0.1.0
description:
  - Imports every archive of a folder that containerd does not have yet, or has in another form.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Reports which images would be imported.
  diff_mode:
    support: none
    description: Images have no text form.
options:
  directory:
    description: Folder of archives, one image each, in OCI's layout.
    type: path
    required: true
  ctr:
    description: containerd's client.
    type: path
    required: true
  socket:
    description: Where containerd answers.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Import the images of the bundle
  inferencebox.platform.node_images:
    directory: /srv/bundle/images
    ctr: /usr/bin/ctr
    socket: /var/lib/inferencebox/demo/node/run/containerd.sock
"""

RETURN = r"""
imported:
  description: Names of the images that were, or would be, imported.
  type: list
  elements: str
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    node_images,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "ctr": {"type": "path", "required": True},
            "socket": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    runtime = node_images.Runtime(given["ctr"], given["socket"])
    try:
        archives = node_images.read_archives(Path(given["directory"]))
        imported = node_images.ensure(runtime, archives, check=module.check_mode)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(imported), imported=imported)


if __name__ == "__main__":
    main()
