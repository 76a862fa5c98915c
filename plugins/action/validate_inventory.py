# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the validate_inventory action: the inventory's variables are here, not on a machine.

Ansible imports an action plugin in its main process, before it forks a worker for each task. Workers of later tasks
then have the model, which takes longer to import than to use, already: the filters that plan cost a tenth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    load,
    select_variables,
    to_vars,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain


class ActionModule(ActionBase):
    """Validates the variables of the play's host as one inventory."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Validate; what plugins/modules/validate_inventory.py documents."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            {"installable": {"type": "bool", "default": False}}
        )
        variables = self._templar.template(select_variables(task_vars or {}))
        try:
            platform = load(to_plain(variables), installable=options["installable"])
        except InventoryError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, "changed": False, "platform": to_vars(platform)}
