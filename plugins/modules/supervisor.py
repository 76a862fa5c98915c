#!/usr/bin/python
# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entry point of the supervisor module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: supervisor
short_description: Run a platform's programs under supervisor
version_added: 0.1.0
description:
  - Starts supervisord with its guardian when it does not run, makes the given programs run as wanted, and waits until each is
    ready by its own word.
  - A program that does not become ready is reported in RV(failed_programs) and does not make the task fail.
author: Inference-in-a-Box contributors (@inferencebox)
attributes:
  check_mode:
    support: full
    description: Compares the configuration; starts and stops nothing.
  diff_mode:
    support: full
    description: The programs' configuration before and after.
options:
  home:
    description: The platform's state directory.
    type: path
    required: true
  state:
    description: With V(absent), all programs and supervisord itself are stopped, and no process is left.
    type: str
    choices: [present, absent]
    default: present
  programs:
    description: Programs that shall run, beside those that other tasks asked for.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Unique name., type: str, required: true}
      command: {description: Executable and arguments., type: list, elements: str, required: true}
      stdout_log: {description: File for standard output., type: path, required: true}
      stderr_log: {description: File for standard error., type: path, required: true}
      directory: {description: Working directory., type: path, default: /}
      user: {description: Unix user; needs root., type: str}
      environment: {description: Variables., type: dict, default: {}}
      umask: {description: File creation mask in octal., type: str, default: "007"}
      revision: {description: Restarts the program when it changes., type: str, default: ""}
      reads: {description: Files that it reads at its start; another content restarts it., type: list, elements: path, default: []}
      priority: {description: Lower starts first., type: int, default: 500}
      start_seconds: {description: How long it must stay up to count as started., type: int, default: 1}
      start_tries:
        description: How many times in a row it may fail to start before it is left alone until the next run.
        type: int
        default: 1000000
      stop_seconds: {description: How long it may take to stop., type: int, default: 15}
      stop_signal: {description: Signal that asks it to stop., type: str, default: TERM}
  waits:
    description: What to wait for, all side by side. Programs among it that had ended are started again.
    type: list
    elements: dict
    default: []
    suboptions:
      program: {description: Its name., type: str, required: true}
      socket: {description: Unix socket on which it answers., type: path}
      gateway:
        description: Where it answers callers over TLS. With neither of the two it is ready when it stays up.
        type: dict
        suboptions:
          address: {description: IP address to connect to., type: str, required: true}
          port: {description: TCP port., type: int, required: true}
          name: {description: Host name that its certificate must carry., type: str, required: true}
          ca_file: {description: The authority that vouches for it., type: path, required: true}
          certificate: {description: Certificate that is shown to it., type: path}
          key: {description: The private key of that., type: path}
      path: {description: HTTP path that answers 200 when it is ready., type: str, default: /}
      timeout: {description: Seconds from each of its starts., type: float, default: 60}
      log: {description: File in which it says why it is not ready., type: path}
      bounds: {description: Told when it ends or is late without naming a reason of its own., type: str, default: ""}
  prune_prefix:
    description: Programs whose name begins so and that are not in O(programs) are stopped and removed.
    type: str
  keep_prefixes:
    description: Programs whose name begins so are not removed yet.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Run a model server and wait for it
  inferencebox.platform.supervisor:
    home: /srv/demo
    programs:
      - name: model.tenant-a.iris.1
        command: [/srv/demo/runtime/bin/python, -m, inferencebox.serving, --spec, /srv/demo/iris.json]
        stdout_log: /srv/demo/logs/iris.access.log
        stderr_log: /srv/demo/logs/iris.log
    waits:
      - {program: model.tenant-a.iris.1, socket: /srv/demo/run/iris.sock, path: /v2/models/iris/ready}

- name: Stop everything
  inferencebox.platform.supervisor:
    home: /srv/demo
    state: absent
"""

RETURN = r"""
failed_programs:
  description: Reason by name of each program that was waited for and is not ready.
  type: dict
  returned: always
programs:
  description: Keys ready, reason and seconds by name of each program that was waited for.
  type: dict
  returned: always
running:
  description: Programs that run now, those that other tasks asked for, too.
  type: list
  elements: str
  returned: always
added:
  description: Programs that were not known before.
  type: list
  elements: str
  returned: always
restarted:
  description: Programs whose configuration had changed.
  type: list
  elements: str
  returned: always
retried:
  description: Programs that had ended and were started again.
  type: list
  elements: str
  returned: always
removed:
  description: Programs that were stopped for good.
  type: list
  elements: str
  returned: always
"""

import os
import typing as t
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    PlatformError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    https,
    processes,
    readiness,
    supervisor,
    supervisor_ini,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=_argument_spec(), supports_check_mode=True)
    params = module.params
    daemon = supervisor_ini.Daemon(params["home"], root=os.geteuid() == 0)
    try:
        if params["state"] == "absent":
            known = supervisor.Supervisor(daemon)
            changed = known.anything_left() if module.check_mode else known.shutdown()
            result = processes.Converged(changed)
        else:
            result = processes.converge(
                daemon,
                [_program(row) for row in params["programs"]],
                [_wait(row) for row in params["waits"]],
                prune_prefix=params["prune_prefix"],
                keep_prefixes=params["keep_prefixes"],
                check=module.check_mode,
            )
    except (PlatformError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=result.changed,
        failed_programs=result.failed,
        programs={name: asdict(one) for name, one in result.readiness.items()},
        running=list(result.running),
        diff=list(result.files.diff),
        **asdict(result.applied),
    )


def _program(row: dict[str, t.Any]) -> supervisor_ini.Program:
    environment = {name: str(value) for name, value in dict(row["environment"]).items()}
    return supervisor_ini.Program(
        **{
            **row,
            "command": tuple(row["command"]),
            "reads": tuple(row["reads"]),
            "environment": environment,
            "umask": int(row["umask"], 8),
        }
    )


def _wait(row: dict[str, t.Any]) -> readiness.Wait:
    gateway = https.Gateway(**row["gateway"]) if row["gateway"] else None
    return readiness.Wait(**{**row, "gateway": gateway})


def _argument_spec() -> dict[str, object]:
    program = {
        "name": {"type": "str", "required": True},
        "command": {"type": "list", "elements": "str", "required": True},
        "stdout_log": {"type": "path", "required": True},
        "stderr_log": {"type": "path", "required": True},
        "directory": {"type": "path", "default": "/"},
        "user": {"type": "str"},
        "environment": {"type": "dict", "default": {}},
        "umask": {"type": "str", "default": "007"},
        "revision": {"type": "str", "default": ""},
        "reads": {"type": "list", "elements": "path", "default": []},
        "priority": {"type": "int", "default": 500},
        "start_seconds": {"type": "int", "default": 1},
        "start_tries": {"type": "int", "default": supervisor_ini.ALWAYS},
        "stop_seconds": {"type": "int", "default": 15},
        "stop_signal": {"type": "str", "default": "TERM"},
    }
    wait = {
        "program": {"type": "str", "required": True},
        "socket": {"type": "path"},
        "gateway": {"type": "dict", "options": https.MUTUAL_OPTIONS},
        "path": {"type": "str", "default": "/"},
        "timeout": {"type": "float", "default": 60},
        "log": {"type": "path"},
        "bounds": {"type": "str", "default": ""},
    }
    return {
        "home": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "programs": {"type": "list", "elements": "dict", "default": [], "options": program},
        "waits": {"type": "list", "elements": "dict", "default": [], "options": wait},
        "prune_prefix": {"type": "str"},
        "keep_prefixes": {"type": "list", "elements": "str", "default": []},
    }


if __name__ == "__main__":
    main()
