# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ``inferencebox`` command: Ansible's playbooks and the platform's own interfaces, for people.

One file per group of commands; files with a leading underscore serve them:

    _runner   playbooks through ansible-runner, with progress
    _home     which platform of this machine is meant
    _client   HTTP to the platform's gateway
    _output   text, JSON, errors and exit codes
"""

from __future__ import annotations

from ._app import main

__all__ = ["main"]
