# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node that the tests make, as its users do: by playbooks and an inventory."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# A bundle that is filled from empty caches builds for 20 minutes on two idle cores.
_SECONDS = 3600
_FREE_SECONDS = 60.0
_ROLLOUT_SECONDS = 300
_SHOWN_CHARACTERS = 6000
# Not the default, so that a node of the machine's user is left alone.
_NETWORK = "10.97.251.0/30"
_CGROUP = "inferencebox-nodetest"
MACHINE_ADDRESS, ADDRESS = "10.97.251.1", "10.97.251.2"


def _when_free(remove: t.Callable[[], object]) -> None:
    """Remove what killed processes hold until the kernel is done with them."""
    deadline = time.monotonic() + _FREE_SECONDS
    while True:
        try:
            remove()
        except (OSError, subprocess.CalledProcessError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@dataclass(frozen=True)
class OwnNode:
    """A node below a directory.

    Attributes:
        directory: Where everything of it lies.
        bundle: Its programs and images.
        variables: Of its inventory, beside those that say where it is.
    """

    directory: Path
    bundle: Path
    variables: t.Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The folder of its state."""
        return self.home / "node"

    @property
    def home(self) -> Path:
        """The platform's home."""
        return self.directory / "home"

    @property
    def kubeconfig(self) -> Path:
        """How its cluster is reached."""
        return self.directory / "kubeconfig"

    def start(self, *options: str) -> int:
        """Make it be there and run.

        Returns:
            How many tasks changed something.
        """
        return self.play("tests/node/play.yml", *options)

    def stop(self) -> None:
        """Stop it."""
        self.play("playbooks/down.yml")

    def remove(self) -> None:
        """Remove it."""
        self.play("playbooks/uninstall.yml")

    def fail(self, *options: str, playbook: str = "tests/node/play.yml") -> str:
        """Run a playbook where that must fail.

        Returns:
            What was said.
        """
        done = self._run(playbook, *options)
        assert done.returncode != 0, done.stdout
        return done.stdout

    def kubectl(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Ask its API server as its administrator, with something on standard input where it reads that."""
        program = str(self.bundle / "programs/kubectl")
        command = [program, f"--kubeconfig={self.kubeconfig}", *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    def replace(self, namespace: str, workload: str) -> None:
        """Replace the pods of a Deployment, and wait for the new ones."""
        wait = ("status", f"deployment/{workload}", f"--timeout={_ROLLOUT_SECONDS}s")
        for words in (("restart", f"deployment/{workload}"), wait):
            done = self.kubectl("--namespace", namespace, "rollout", *words)
            assert done.returncode == 0, done.stdout + done.stderr

    def processes(self) -> dict[str, int]:
        """Process id of each of its programs."""
        found = {}
        programs = {str(self.bundle / "programs"), "/usr/bin", "/usr/sbin"}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                path = Path("/proc", entry, "exe").readlink()
                words = Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(path.parent) in programs and f"={self.state}/" in words:
                # One that was replaced runs on from a file that has no name any more.
                found[path.name.removesuffix(" (deleted)")] = int(entry)
        return found

    def kill(self) -> None:
        """End everything of it at once, its manager and its containers too, as a crash of the machine would."""
        # Whoever starts others again may do so between two looks.
        while own := self._everything():
            for pid in own:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def restart_machine(self) -> None:
        """Leave of it what a restart of the machine leaves: files, and nothing in the kernel or in /run."""
        self.kill()
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        for place in sorted((line.split()[4] for line in mounts), reverse=True):
            if place.startswith(f"{self.state}/"):
                _when_free(functools.partial(subprocess.run, ["umount", place], check=True))
        for folder, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if f"/{_CGROUP}" in folder:
                _when_free(Path(folder).rmdir)
        shutil.rmtree("/run/containerd/s")

    def _everything(self) -> list[int]:
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace")
                group = Path("/proc", entry, "cgroup").read_text()
                # One that has ended and that nobody has waited for has no words.
                if words and (f"{self.state}/" in words or f"/{_CGROUP}/" in group):
                    found.append(int(entry))
        return found

    def inside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the node's own network."""
        command = ["nsenter", f"--net={self.state}/run/network", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def play(self, playbook: str, *options: str) -> int:
        """Run a playbook of the repository.

        Returns:
            How many tasks changed something.
        """
        done = self._run(playbook, *options)
        assert done.returncode == 0, done.stdout[-_SHOWN_CHARACTERS:]
        found = re.search(r"changed=(\d+)", done.stdout)
        assert found, done.stdout
        return int(found[1])

    def command(self, playbook: str, *options: str) -> list[str]:
        """How a playbook of the repository is run, in the repository."""
        program = Path(sys.executable).with_name("ansible-playbook")
        variables = json.dumps(self._variables())
        return [str(program), "-i", "inventories/node", playbook, "-e", variables, *options]

    def _run(self, playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(playbook, *options),
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )

    def _variables(self) -> dict[str, t.Any]:
        cluster = dict(self.variables.get("platform_cluster", {}))
        return {
            "platform_name": "nodetest",
            "platform_home": str(self.home),
            "platform_bundle": str(self.bundle),
            "platform_gateway": {"address": ADDRESS, "https_port": 30443},
            "platform_cluster": {
                "provider": "node",
                "service_type": "NodePort",
                "kubeconfig": str(self.kubeconfig),
                **cluster,
                "node": {"network": _NETWORK, **cluster.get("node", {})},
            },
            **{name: one for name, one in self.variables.items() if name != "platform_cluster"},
        }
