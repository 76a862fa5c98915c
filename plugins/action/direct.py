# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the collection's modules in Ansible's own worker process, where that is the machine and the Python to run on.

Ansible otherwise packs each module into an archive and starts a Python for it, which compiles the module and all that
it imports from source: a third of a second for each task. meta/runtime.yml names this action for every module of the
collection. Whatever needs more than the worker has (a connection, another user, another Python, an environment, a
background job) goes the ordinary way, with the same result.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import sys
from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.module_utils import basic
from ansible.module_utils.common.json import Direction, get_module_decoder
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.inferencebox.platform.plugins.module_utils import progress
from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain

_MODULES = "ansible_collections.inferencebox.platform.plugins.modules"
# How options and results of a module are written as JSON: as for every module that does not say otherwise.
_PROFILE = "legacy"


class ActionModule(NormalAction):
    """Runs the module of the task's name."""

    def run(
        self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module; what its own page documents."""
        variables = task_vars or {}
        result: dict[str, Any] = (
            self._main(variables) if self._here(variables) else super().run(tmp, task_vars)
        )
        return result

    def _here(self, variables: Mapping[str, Any]) -> bool:
        """Whether the worker is on the machine, of the user and with the Python and environment that are asked for."""
        interpreter = self._templar.template(variables.get("ansible_python_interpreter"))
        return (
            self._connection.transport == "local"
            and self._connection.become is None
            and interpreter == sys.executable
            and not any(self._task.environment or ())
            and not self._task.async_val
            and not constants.DEFAULT_KEEP_REMOTE_FILES  # asked for by who wants to see what is sent
        )

    def _main(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        name = self._task.resolved_action
        options = to_plain(self._task.args)
        self._update_module_args(name, options, variables)
        module = importlib.import_module(f"{_MODULES}.{name.rpartition('.')[2]}")
        # From where a packed module has its options, too; nothing public sets them.
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()  # noqa: SLF001
        basic._ANSIBLE_PROFILE = _PROFILE  # noqa: SLF001
        # A warning would be kept until the task ends.
        hearing = progress.heard_by(functools.partial(Display().display, stderr=True))
        with (
            hearing,
            contextlib.redirect_stdout(io.StringIO()) as said,
            contextlib.suppress(SystemExit),
        ):
            module.main()
        decoder = get_module_decoder(_PROFILE, Direction.MODULE_TO_CONTROLLER)
        found: dict[str, Any] = json.loads(said.getvalue(), cls=decoder)
        return found
