# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One Ansible with nothing of this project but the collection's archive, and one platform to drive with it."""

from __future__ import annotations

import json
import os
import pwd
import re
import secrets
import shutil
import string
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.host.package_index import (
    uv_environment,
)

from tests.behaviour import processes
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
# A first run installs the runtime; the time is for slow networks and two busy cores.
_SECONDS = 600
_SHOWN_LINES = 60
# As playbooks/verify.yml names it.
SUITE = ("cryptography", "httpx2[http2]", "openai", "pyjwt", "pytest", "pyyaml")
_CHECK_OF_ARGUMENTS = " : Validating arguments against arg spec "

Json = dict[str, t.Any]


@dataclass(frozen=True)
class Play:
    """What one run of ansible-playbook said.

    Attributes:
        returncode: Its exit status.
        said: Standard output and error.
        changed: Tasks that changed something, or would, as "role : task".
        ran: Roles of which a task ran, beside the check of its arguments, in order.
        hosts: Counts by host and word, as in the recap.
    """

    returncode: int
    said: str
    changed: list[str]
    ran: list[str]
    hosts: dict[str, dict[str, int]]

    @property
    def end(self) -> str:
        """Its last lines, for a failure's report."""
        return "\n".join(self.said.splitlines()[-_SHOWN_LINES:])


class Driver:
    """A virtual environment with one Ansible, the collection installed from its archive, and an inventory."""

    def __init__(self, python: Path) -> None:
        """Make everything but the platform."""
        # Short, because Unix socket paths may have 107 bytes only.
        self.directory = Path(tempfile.mkdtemp(prefix="ib-", dir="/tmp"))
        # Tenants' processes may be users of their own and must be able to walk through.
        self.directory.chmod(0o755)
        self.bin = self.directory / "venv/bin"
        self.collections = self.directory / "collections"
        self.home = self.directory / "home"
        self.inventory = self.directory / "inventory"
        self.name = "t" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
        (self.directory / "empty").mkdir()
        try:
            self._install(python)
            self._write_inventory()
        except BaseException:
            self.remove()
            raise

    def _install(self, python: Path) -> None:
        uv = Path(sys.executable).with_name("uv")
        self.run(uv, "venv", "--quiet", "--python", python, self.bin.parent)
        target = ("--quiet", "--python", self.bin / "python", "--require-hashes")
        self.run(uv, "pip", "sync", *target, ROOT / "requirements/driver.txt")
        galaxy = (self.bin / "ansible-galaxy", "collection")
        self.run(*galaxy, "build", ROOT, "--output-path", self.directory)
        (archive,) = self.directory.glob("inferencebox-platform-*.tar.gz")
        options = ("--offline", "--no-deps", "--collections-path", self.collections)
        self.run(*galaxy, "install", archive, *options)

    def _write_inventory(self) -> None:
        variables = self.inventory / "group_vars/all"
        variables.mkdir(parents=True)
        shared = ROOT / "extensions/molecule/inventory"
        shutil.copy(shared / "hosts.yml", self.inventory)
        for topic in ("tenants.yml", "models.yml"):
            shutil.copy(shared / "group_vars/all" / topic, variables)
        ports = free_ports(3)
        self.gateway = ports[0]
        platform = {
            "platform_name": self.name,
            "platform_home": str(self.home),
            "platform_target": "local",
            "platform_gateway": {"https_port": ports[0]},
            "platform_observability": {"prometheus_port": ports[1], "metrics_port": ports[2]},
        }
        (variables / "platform.yml").write_text(yaml.safe_dump(platform), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell would have: the environment's programs first, the archive's collection, nothing else."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "PYTHON", "VIRTUAL_ENV"))
        }
        return {
            **inherited,
            **uv_environment(os.environ),
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(ROOT / ".cache/uv")),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_INJECT_FACT_VARS": "false",
        }

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program far from the checkout.

        Raises:
            RuntimeError: It failed, and `check` is set; the message carries its last lines.
        """
        done = subprocess.run(
            command,
            cwd=self.directory / "empty",
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if check and done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-_SHOWN_LINES:])
            raise RuntimeError(f"{' '.join(map(str, command[:4]))} failed\n{said}")
        return done

    def add_tools_of_the_suite(self) -> None:
        """Install what playbooks/verify.yml asks for when it is missing."""
        uv = Path(sys.executable).with_name("uv")
        pins = ("--constraint", ROOT / "requirements/test.txt")
        self.run(uv, "pip", "install", "--quiet", "--python", self.bin / "python", *pins, *SUITE)

    def play(self, name: str, *options: str) -> Play:
        """Run a playbook of the collection on the inventory."""
        command = (self.bin / "ansible-playbook", f"inferencebox.platform.{name}")
        done = self.run(*command, "--inventory", self.inventory, *options, check=False)
        result = _json(done.stdout)
        tasks = [task for play in result.get("plays", []) for task in play["tasks"]]
        names = [task["task"]["name"] for task in tasks if task["hosts"]]
        changed = [
            task["task"]["name"]
            for task in tasks
            if any(host.get("changed") for host in task["hosts"].values())
        ]
        # Ansible itself checks the arguments of every role, whatever tags are wanted, and it names no role
        # before a task that includes another one.
        roles = [
            name.partition(" : ")[0]
            for name in names
            if " : " in name and _CHECK_OF_ARGUMENTS not in name
        ]
        ran = list(dict.fromkeys(role.removeprefix("inferencebox.platform.") for role in roles))
        said = done.stdout + done.stderr
        return Play(done.returncode, said, changed, ran, result.get("stats", {}))

    def traces(self) -> list[str]:
        """What of the platform is on the machine: files, users, processes."""
        files = [str(path) for path in self.home.rglob("*")] if self.home.exists() else []
        users = [
            user.pw_name for user in pwd.getpwall() if user.pw_name.startswith(f"ib-{self.name}-")
        ]
        running = [" ".join(process.command) for process in processes.everything(self.home)]
        return [*([str(self.home)] if self.home.exists() else []), *files, *users, *running]

    def remove(self) -> None:
        """Take everything away again, whatever happened before."""
        try:
            if self.traces():
                self.play("uninstall")
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


def _json(text: str) -> Json:
    """The callback's document; warnings may stand before it."""
    match = re.search(r"^\{.*^\}", text, re.MULTILINE | re.DOTALL)
    return dict(json.loads(match[0])) if match else {}
