# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the modules that speak to a cluster begin: their common options, and no secret in a log or a result."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    from .cluster import synchronising
except ImportError as error:
    MISSING = error.name
else:
    MISSING = None

Json = dict[str, t.Any]


def begin(objects: Json, **options: Json) -> tuple[AnsibleModule, Json]:
    """Read the arguments of a module.

    Args:
        objects: Specification of its option `objects`, which may hold Secrets.
        options: Specifications of its further options, beside `platform` and those that name a cluster.

    Returns:
        The module, and what its result has to show as `invocation`. A library that is missing ends the run.
    """
    module = AnsibleModule(
        argument_spec={
            "objects": {"type": "list", "elements": "dict", **objects},
            "platform": {"type": "str", "required": True},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
            **options,
        },
        supports_check_mode=True,
        # No line in the system's log with all arguments: Secrets are among the objects.
        no_log=True,
    )
    _require_libraries(module)
    # Nor in the result, where verbosity would show them.
    module.no_log_values.update(synchronising.values_to_hide(module.params["objects"] or []))
    return module, synchronising.without_secrets(module.params)


def ask(**options: Json) -> AnsibleModule:
    """Read the arguments of a module that gets no objects, and so no secrets.

    Args:
        options: Specifications of its options, beside those that name a cluster.

    Returns:
        The module. A library that is missing ends the run.
    """
    module = AnsibleModule(
        argument_spec={"kubeconfig": {"type": "path"}, "context": {"type": "str"}, **options},
        supports_check_mode=True,
    )
    _require_libraries(module)
    return module


def _require_libraries(module: AnsibleModule) -> None:
    if MISSING:
        module.fail_json(msg=missing_required_lib(MISSING))
