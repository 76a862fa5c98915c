# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Pod's volumes as directories: Secrets, ConfigMaps, tokens, the downward API, and empty ones."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import fields
from .requests import Requests

Object = Mapping[str, Any]


class NotYetError(RuntimeError):
    """A Secret or ConfigMap that a Pod needs is not there yet; its text says which."""


class Volumes:
    """Fills the volumes of one Pod.

    Args:
        api: The API server.
        pod: The Pod, with addresses in its status.
        directory: Where they go.
    """

    def __init__(self, api: Requests, pod: Object, directory: Path) -> None:
        self._api = api
        self._pod = pod
        self._directory = directory
        self._namespace = pod["metadata"]["namespace"]

    def fill(self) -> dict[str, Path]:
        """Write all of them.

        Returns:
            Their directories by name.

        Raises:
            NotYetError: Something that they are filled from is missing.
        """
        made = {}
        for volume in self._pod["spec"].get("volumes") or []:
            path = self._directory / volume["name"]
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)
            for kind, source in volume.items():
                if writer := self._writers.get(kind):
                    writer(self, source, path)
            made[volume["name"]] = path
        return made

    def source(self, kind: str, name: str, *, optional: bool = False) -> dict[str, bytes]:
        """Read a Secret or a ConfigMap, by file name.

        Raises:
            NotYetError: It is missing and not optional.
        """
        plural = "secrets" if kind == "secret" else "configmaps"
        found = self._api.find(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
        if found is None:
            if optional:
                return {}
            raise NotYetError(f"{plural} {name} of {self._namespace} is missing")
        plain = found.get("data") or {}
        if kind == "secret":
            return {key: base64.b64decode(value) for key, value in plain.items()}
        binary = found.get("binaryData") or {}
        return {
            **{key: value.encode() for key, value in plain.items()},
            **{key: base64.b64decode(value) for key, value in binary.items()},
        }

    def _secret(self, source: Object, path: Path) -> None:
        name = source.get("secretName") or source["name"]
        found = self.source("secret", name, optional=bool(source.get("optional")))
        _write(found, source.get("items"), path)

    def _config_map(self, source: Object, path: Path) -> None:
        optional = bool(source.get("optional"))
        _write(
            self.source("configMap", source["name"], optional=optional), source.get("items"), path
        )

    def _downward(self, source: Object, path: Path) -> None:
        for item in source.get("items") or []:
            text = fields.field(self._pod, item["fieldRef"]["fieldPath"])
            _place(path / item["path"], text.encode())

    def _token(self, source: Object, path: Path) -> None:
        account = self._pod["spec"].get("serviceAccountName") or "default"
        answer = self._api.create(
            f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {
                    "audiences": [source["audience"]] if source.get("audience") else [],
                    "expirationSeconds": source.get("expirationSeconds", 3600),
                    "boundObjectRef": {
                        "apiVersion": "v1",
                        "kind": "Pod",
                        "name": self._pod["metadata"]["name"],
                        "uid": self._pod["metadata"]["uid"],
                    },
                },
            },
        )
        _place(path / source["path"], answer["status"]["token"].encode())

    def _projected(self, source: Object, path: Path) -> None:
        for one in source.get("sources") or []:
            for kind, given in one.items():
                self._writers[kind](self, given, path)

    _writers: Mapping[str, Callable[[Volumes, Object, Path], None]] = {
        "secret": _secret,
        "configMap": _config_map,
        "downwardAPI": _downward,
        "serviceAccountToken": _token,
        "projected": _projected,
    }


def _write(found: Mapping[str, bytes], items: Any, path: Path) -> None:
    if items is None:
        for name, content in found.items():
            _place(path / name, content)
        return
    for item in items:
        if item["key"] in found:
            _place(path / item["path"], found[item["key"]])


def _place(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    # The Pod's directory is closed to all but root; who runs inside is somebody else.
    path.chmod(0o644)
