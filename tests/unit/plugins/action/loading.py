# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An action as the executor makes it for a task on this machine."""

from __future__ import annotations

from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import action_loader, connection_loader
from ansible.template import Templar


def load_action(action: str, module: str, task: dict[str, Any], variables: dict[str, Any]) -> Any:
    """Make an action.

    Args:
        action: Its full name.
        module: Full name of what the task calls.
        task: The task, as a playbook has it.
        variables: Variables of its host.
    """
    loader = DataLoader()
    loaded = Task.load(task, loader=loader)
    loaded._resolved_action = module  # as the executor does before it looks for the action
    context = PlayContext()
    return action_loader.get(
        action,
        task=loaded,
        connection=connection_loader.get("ansible.builtin.local", context),
        play_context=context,
        loader=loader,
        templar=Templar(loader=loader, variables=variables),
        shared_loader_obj=None,
    )
