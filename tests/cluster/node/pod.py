# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One Pod: its network, its volumes, its processes, and what is reported of them."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cluster.network import Lan, Network

from . import fields, sandbox
from .requests import Requests
from .sandbox import Program
from .volumes import NotYetError, Volumes

Object = Mapping[str, Any]
_STOP_SECONDS = 10.0
_RESTART_SECONDS = 1.0
_PROBE_SECONDS = 2.0


def program_of(image: str, programs: Mapping[str, Program]) -> Program | None:
    """Find what stands for an image, by the last part of its repository's name."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return programs.get(name)


class _Container:
    """One container that is a process."""

    def __init__(self, spec: Object, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.command: list[str] = []
        self.environment: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = -1
        self._since = 0.0

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self.process is None else self.process.poll()

    def start(self, network: Network) -> None:
        """Start it, or start it again where it ended a moment ago."""
        if time.monotonic() - self._since < _RESTART_SECONDS:
            return
        self._since = time.monotonic()
        self.restarts += 1
        with self.log.open("ab") as output:
            # A container's user may open its own streams by name, as Envoy does for its log.
            os.fchmod(output.fileno(), 0o666)
            self.process = subprocess.Popen(
                # The kernel ends it with the process that runs the node, however that ends.
                ["setpriv", "--pdeathsig", "KILL", *network.command(*self.command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Stop it, by force where it does not want to."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Pod:
    """Brings one Pod to what its specification says.

    Args:
        api: The API server.
        lan: Where it gets its network.
        programs: What stands for images.
        directory: For its files.
        api_address: Host and port at which it finds the API server.
        etc: Directory with files of every container's /etc.
    """

    def __init__(
        self,
        api: Requests,
        lan: Lan,
        programs: Mapping[str, Program],
        directory: Path,
        api_address: tuple[str, int],
        etc: Path,
    ) -> None:
        self._api = api
        self._lan = lan
        self._programs = programs
        self._directory = directory
        self._api_address = api_address
        self._etc = etc
        self._network: Network | None = None
        self._address = ""
        self._prepared = False
        self._initial: list[_Container] = []
        self._lasting: list[_Container] = []
        self._reported: Object = {}
        self._started = _now()
        self.network_ready = False

    # -- what the node calls ---------------------------------------------------------------------------------

    def step(self, live: Object) -> None:
        """Do what is next, and report where the Pod stands."""
        if self._network is None:
            self._join(live)
        if not self._prepared:
            try:
                self._prepare({**live, "status": {**live["status"], **self._addresses()}})
            except NotYetError as missing:
                self._report(live, "Pending", ready=False, reason=str(missing))
                return
        assert self._network is not None
        for one in self._initial:
            if one.process is None or one.code not in (None, 0):
                one.start(self._network)
            if one.code != 0:
                self._report(live, "Pending", ready=False, reason=f"{one.spec['name']} runs")
                return
        once = live["spec"].get("restartPolicy") in ("Never", "OnFailure")
        for one in self._lasting:
            if one.process is None or (one.code is not None and not (once and one.code == 0)):
                one.start(self._network)
        if once and all(one.code == 0 for one in self._lasting):
            self._report(live, "Succeeded", ready=False, reason="")
            return
        late = next((text for one in self._lasting if (text := self._unready(one))), "")
        self._report(live, "Running", ready=not late, reason=late)

    def end(self) -> None:
        """Stop everything and remove every file."""
        for one in [*self._lasting, *self._initial]:
            one.stop()
        if self._network is not None:
            self._lan.drop(self._label)
            self._network = None
        shutil.rmtree(self._directory, ignore_errors=True)

    # -- its parts -------------------------------------------------------------------------------------------

    def _join(self, live: Object) -> None:
        self._label = live["metadata"]["uid"]
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._network, self._address = self._lan.host(self._label)

    def _addresses(self) -> dict[str, Any]:
        return {
            "podIP": self._address,
            "podIPs": [{"ip": self._address}],
            "hostIP": self._lan.address,
            "hostIPs": [{"ip": self._lan.address}],
        }

    def _prepare(self, pod: Object) -> None:
        spec = pod["spec"]
        known = [
            (one, initial, program)
            for initial, key in ((True, "initContainers"), (False, "containers"))
            for one in spec.get(key) or []
            if (program := program_of(one["image"], self._programs))
        ]
        volumes = Volumes(self._api, pod, self._directory / "volumes")
        filled = volumes.fill() if known else {}
        for one, initial, program in known:
            if words := program.prepares.get(one["name"]):
                self._plug(words)
            container = _Container(one, self._directory / f"{one['name']}.log")
            sources = {
                f"{kind}/{row['valueFrom'][key]['name']}": {
                    name: value.decode()
                    for name, value in volumes.source(
                        kind, row["valueFrom"][key]["name"], optional=True
                    ).items()
                }
                for row in one.get("env") or []
                for kind, key in (("secret", "secretKeyRef"), ("configMap", "configMapKeyRef"))
                if key in (row.get("valueFrom") or {})
            }
            own = fields.environment(pod, one, sources)
            host, port = self._api_address
            container.environment = {
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/tmp",
                "HOSTNAME": pod["metadata"]["name"],
                "KUBERNETES_SERVICE_HOST": host,
                "KUBERNETES_SERVICE_PORT": str(port),
                **own,
            }
            words = [
                fields.expanded(word, container.environment)
                for word in [*(one.get("command") or program.entrypoint), *(one.get("args") or [])]
            ]
            user = (one.get("securityContext") or {}).get("runAsUser") or (
                spec.get("securityContext") or {}
            ).get("runAsUser")
            container.command = sandbox.command(
                program,
                words,
                mounts=_mounts(one, filled),
                etc=self._etc,
                directory=one.get("workingDir") or "/",
                user=user,
            )
            lasting = not initial or one.get("restartPolicy") == "Always"
            (self._lasting if lasting else self._initial).append(container)
        self._prepared = True

    def _plug(self, words: Sequence[str]) -> None:
        assert self._network is not None
        done = subprocess.run(
            self._network.command(*words), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stdout}{done.stderr}")

    # -- readiness -------------------------------------------------------------------------------------------

    def _unready(self, one: _Container) -> str:
        name = one.spec["name"]
        if one.code is not None:
            return f"{name} ended with {one.code}"
        probe = one.spec.get("readinessProbe") or {}
        for kind, ask in (("httpGet", self._answers), ("tcpSocket", self._listens)):
            if kind in probe and not ask(one.spec, probe[kind]):
                return f"{name} is not ready"
        return ""

    def _answers(self, container: Object, probe: Object) -> bool:
        scheme = probe.get("scheme", "HTTP").lower()
        port = _port(container, probe["port"])
        url = f"{scheme}://{self._address}:{port}{probe.get('path', '/')}"
        # As the kubelet does: some programs answer whoever else asks by their own rules.
        headers = {"User-Agent": "kube-probe/1"}
        headers |= {row["name"]: row["value"] for row in probe.get("httpHeaders") or []}
        request = urllib.request.Request(url, headers=headers)
        # Nobody's certificate is asked for.
        trust = ssl._create_unverified_context()
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        try:
            with opener.open(request, timeout=_PROBE_SECONDS) as answer:
                return bool(answer.status < 400)
        except (urllib.error.URLError, OSError):
            return False

    def _listens(self, container: Object, probe: Object) -> bool:
        try:
            address = (self._address, _port(container, probe["port"]))
            with socket.create_connection(address, _PROBE_SECONDS):
                return True
        except OSError:
            return False

    # -- status ----------------------------------------------------------------------------------------------

    def _report(self, live: Object, phase: str, *, ready: bool, reason: str) -> None:
        wanted = {
            "phase": phase,
            "startTime": self._started,
            **self._addresses(),
            "conditions": [
                _condition(kind, holds, self._started, reason)
                for kind, holds in (
                    ("PodScheduled", True),
                    ("Initialized", phase != "Pending"),
                    ("ContainersReady", ready),
                    ("Ready", ready),
                )
            ],
            "containerStatuses": [
                self._container_status(one, phase, ready=ready)
                for one in live["spec"].get("containers") or []
            ],
            "initContainerStatuses": [
                self._initial_status(one, phase) for one in live["spec"].get("initContainers") or []
            ],
        }
        if wanted == self._reported:
            return
        metadata = live["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self._api.merge(path, {"metadata": {"uid": metadata["uid"]}, "status": wanted})
        self._reported = wanted

    def _container_status(self, container: Object, phase: str, *, ready: bool) -> Object:
        running = {"running": {"startedAt": self._started}}
        done = {
            "terminated": {
                "exitCode": 0,
                "reason": "Completed",
                "startedAt": self._started,
                "finishedAt": self._started,
            }
        }
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        state = {"Running": running, "Succeeded": done}.get(phase, waiting)
        restarts = next(
            (o.restarts for o in self._lasting if o.spec["name"] == container["name"]), 0
        )
        return {
            "name": container["name"],
            "image": container["image"],
            "imageID": container["image"],
            "ready": ready,
            "started": phase == "Running",
            "restartCount": max(restarts, 0),
            "state": state,
        }

    def _initial_status(self, container: Object, phase: str) -> Object:
        if container.get("restartPolicy") == "Always":
            return self._container_status(container, phase, ready=phase == "Running")
        done = phase != "Pending"
        return self._container_status(container, "Succeeded" if done else phase, ready=done)


def _mounts(container: Object, volumes: Mapping[str, Path]) -> dict[str, Path]:
    found = {}
    for mount in container.get("volumeMounts") or []:
        path = volumes[mount["name"]]
        if inside := mount.get("subPath"):
            path = path / inside
        if path.exists():
            found[mount["mountPath"]] = path
    return found


def _port(container: Object, port: int | str) -> int:
    """A port by its number or by its name."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    rows = container.get("ports") or []
    return next(int(row["containerPort"]) for row in rows if row.get("name") == port)


def _condition(kind: str, holds: bool, since: str, reason: str) -> Object:
    found = {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": since}
    return found if holds or not reason else {**found, "reason": "NotReady", "message": reason}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
