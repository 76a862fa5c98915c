# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The node: registers itself, and brings the Pods that are bound to it to what they say."""

from __future__ import annotations

import contextlib
import shutil
import threading
import traceback
import types
import typing as t
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

from tests.cluster.network import Lan

from . import fields
from .pod import Pod
from .requests import Requests
from .sandbox import Program

Object = dict[str, t.Any]
NAME = "processes"
_PAUSE_SECONDS = 0.3
_NODE = "/api/v1/nodes"
# Names come from the file alone.
_ETC = {
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "hosts: files\n",
    "passwd": "root:x:0:0::/root:/bin/false\nnonroot:x:65532:65532::/home/nonroot:/bin/false\n",
    "resolv.conf": "",
}


class Node:
    """Runs while the `with` block does.

    Args:
        kubeconfig: An administrator's.
        lan: Where its Pods get their networks.
        programs: What stands for images, by the last part of their repositories' names.
        directory: For its files.
    """

    def __init__(
        self,
        kubeconfig: str,
        lan: Lan,
        programs: Mapping[str, Program],
        directory: Path,
    ) -> None:
        self._api = Requests.to(kubeconfig)
        server = urlsplit(self._api.server)
        self._address = (server.hostname or "", server.port or 443)
        self._lan = lan
        self._programs = programs
        self._directory = directory
        self._etc = directory / "etc"
        self._hosts = self._etc / "hosts"
        self._pods: dict[str, Pod] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="node", daemon=True)
        # What went wrong inside, for whoever waits in vain.
        self.errors: list[str] = []

    def __enter__(self) -> t.Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._directory.chmod(0o711)
        self._etc.mkdir()
        for name, text in _ETC.items():
            (self._etc / name).write_text(text)
        self._register()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        shutil.rmtree(self._directory, ignore_errors=True)

    def log(self, pod: str, container: str, lines: int = 30) -> str:
        """The last lines of a container's output."""
        uid = next(
            one["metadata"]["uid"]
            for one in self._api.items("/api/v1/pods")
            if one["metadata"]["name"] == pod
        )
        path = self._directory / uid / f"{container}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

    def _register(self) -> None:
        labels = {
            "kubernetes.io/hostname": NAME,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        }
        if self._api.find(f"{_NODE}/{NAME}") is None:
            self._api.create(
                _NODE,
                {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NAME, "labels": labels}},
            )
        # The API server says of every new node that it is not ready; who takes that back does not run here.
        self._api.merge(f"{_NODE}/{NAME}", {"spec": {"taints": None}})
        self._api.merge(
            f"{_NODE}/{NAME}/status",
            {
                "status": {
                    "addresses": [{"type": "InternalIP", "address": self._lan.address}],
                    "capacity": fields.CAPACITY,
                    "allocatable": fields.CAPACITY,
                    "conditions": [{"type": "Ready", "status": "True", "reason": "Started"}],
                    "nodeInfo": {
                        "architecture": "amd64",
                        "operatingSystem": "linux",
                        "kubeletVersion": self._api.get("/version")["gitVersion"],
                        "kubeProxyVersion": "",
                        "containerRuntimeVersion": "processes://1",
                        "osImage": "",
                        "kernelVersion": "",
                        "machineID": "",
                        "systemUUID": "",
                        "bootID": "",
                    },
                }
            },
        )

    def _run(self) -> None:
        try:
            while not self._over.wait(_PAUSE_SECONDS):
                try:
                    self._round()
                except ClusterError as error:
                    self.errors.append(str(error))
        except Exception:  # noqa: BLE001 - nobody else would see it
            self.errors.append(traceback.format_exc())
        finally:
            for pod in self._pods.values():
                with contextlib.suppress(OSError, RuntimeError):
                    pod.end()

    def _round(self) -> None:
        self._write_hosts()
        bound = self._api.items("/api/v1/pods", fieldSelector=f"spec.nodeName={NAME}")
        live = {one["metadata"]["uid"]: one for one in bound}
        for uid in [uid for uid in self._pods if uid not in live]:
            self._pods.pop(uid).end()
        for uid, one in live.items():
            metadata = one["metadata"]
            if metadata.get("deletionTimestamp"):
                if uid in self._pods:
                    self._pods.pop(uid).end()
                self._api.remove(
                    f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
                )
                continue
            if one["status"].get("phase") in ("Succeeded", "Failed"):
                continue
            if uid not in self._pods:
                self._pods[uid] = Pod(
                    self._api,
                    self._lan,
                    self._programs,
                    self._directory / uid,
                    self._address,
                    self._etc,
                )
            self._pods[uid].step(one)

    def _write_hosts(self) -> None:
        """Stand in for the name service: a Service's names lead to its first ready endpoint."""
        lines = ["127.0.0.1 localhost"]
        host, _ = self._address
        lines.append(f"{host} kubernetes.default.svc kubernetes.default")
        for one in self._api.items("/apis/discovery.k8s.io/v1/endpointslices"):
            metadata = one["metadata"]
            service = (metadata.get("labels") or {}).get("kubernetes.io/service-name")
            ready = [
                end["addresses"][0]
                for end in one.get("endpoints") or []
                if (end.get("conditions") or {}).get("ready") is not False
            ]
            if service and ready and service != "kubernetes":
                name = f"{service}.{metadata['namespace']}"
                whole = f"{name}.svc.cluster.local"
                # Whoever wants no other domain tried writes a dot at the end, as Envoy Gateway does for its Envoys.
                lines.append(f"{ready[0]} {whole} {whole}. {name}.svc {name}")
        text = "\n".join([*lines[:2], *sorted(lines[2:])]) + "\n"
        if text != self._hosts.read_text():
            # In place: containers have this very file.
            self._hosts.write_text(text)
