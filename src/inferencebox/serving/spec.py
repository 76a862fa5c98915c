# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The replica spec: everything one model server is told, as a JSON file or by a pod's arguments."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from .errors import SpecError

PREDICTIVE_APIS = frozenset({"v1", "v2"})
LLM_APIS = frozenset({"chat", "completions", "embeddings", "responses", "messages"})

# sockaddr_un.sun_path holds 108 bytes on Linux, the closing zero included (man 7 unix).
MAX_SOCKET_PATH_BYTES = 107
_PORTS = 2**16
_TEXTS = (
    "name",
    "tenant",
    "version",
    "framework",
    "artifact",
    "address",
    "socket",
    "credential_file",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReplicaSpec:
    """What one replica serves, and where.

    Attributes:
        name: The model's name, as callers write it.
        tenant: The tenant that owns the model; a metric label.
        version: The version served; a metric label, and the only one that V2 paths may name.
        framework: A key of `frameworks.FRAMEWORKS`, or `llm`.
        artifact: The model file, or a directory that holds exactly one.
        socket: Where to listen; None where `port` says it. Nothing else is listened on.
        address: IP address to listen on, with `port`.
        port: TCP port to listen on: a pod's, where mesh and network policy let only tier 2 in.
        credential_file: Holds the bearer credential that every caller has to present. Always there with a socket,
            never with a port.
        threads: Compute threads, at least 1.
        apis: Which of the framework's protocols are answered.
        request_timeout_seconds: The longest a request may take; at shutdown, how long to wait for those in flight.
    """

    name: str
    tenant: str
    version: str
    framework: str
    artifact: Path
    socket: Path | None = None
    address: str = "127.0.0.1"
    port: int | None = None
    credential_file: Path | None = None
    threads: int = 1
    apis: tuple[str, ...]
    request_timeout_seconds: float = 60.0

    @property
    def is_llm(self) -> bool:
        """Whether llama.cpp's server runs this model instead of the KServe SDK."""
        return self.framework == "llm"

    def credential(self) -> str:
        """Read the bearer credential; empty in a pod.

        Raises:
            SpecError: The file cannot be read or is empty: a socket without a credential is never right.
        """
        if self.credential_file is None:
            return ""
        try:
            value = self.credential_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(
                f"credential_file {self.credential_file} cannot be read: {error}"
            ) from error
        if not value:
            raise SpecError(f"credential_file {self.credential_file} is empty")
        return value


def load_spec(path: Path) -> ReplicaSpec:
    """Read and check a replica spec.

    Args:
        path: The JSON file.

    Raises:
        SpecError: The file cannot be read, or a key is missing, unknown or of the wrong kind. All at once.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{path}: not JSON ({error})") from error
    if not isinstance(raw, dict):
        raise SpecError(f"{path}: expected an object, found {type(raw).__name__}")
    try:
        return _checked(raw, _PLACES)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def spec_of_pod(raw: dict[str, Any]) -> ReplicaSpec:
    """Check what a pod's arguments say.

    Args:
        raw: The keys of a spec, with `address` and `port` instead of `socket` and `credential_file`.

    Raises:
        SpecError: A key is missing, unknown or of the wrong kind. All at once.
    """
    return _checked(raw, _POD_PLACES)


# Where a server listens, and for whom: on one machine, and in a pod.
_PLACES = ("socket", "credential_file")
_POD_PLACES = ("address", "port")


def _checked(raw: dict[str, Any], places: tuple[str, ...]) -> ReplicaSpec:
    problems = _problems(raw, places)
    if problems:
        raise SpecError("; ".join(problems))
    return ReplicaSpec(
        name=raw["name"],
        tenant=raw["tenant"],
        version=raw["version"],
        framework=raw["framework"],
        artifact=Path(raw["artifact"]),
        threads=raw.get("threads", 1),
        apis=tuple(raw["apis"]),
        request_timeout_seconds=float(raw.get("request_timeout_seconds", 60.0)),
        address=raw.get("address", ReplicaSpec.address),
        port=raw.get("port"),
        socket=Path(raw["socket"]) if "socket" in raw else None,
        credential_file=Path(raw["credential_file"]) if "credential_file" in raw else None,
    )


def _problems(raw: dict[str, Any], places: tuple[str, ...]) -> list[str]:
    fields = {
        field.name: field
        for field in dataclasses.fields(ReplicaSpec)
        if field.name in places or field.name not in (*_PLACES, *_POD_PLACES)
    }
    problems = [f"unknown key {key!r}" for key in raw if key not in fields]
    problems += [
        f"{name} is missing"
        for name, field in fields.items()
        if (name in places or field.default is dataclasses.MISSING) and name not in raw
    ]
    for key in _TEXTS:
        if key in raw and (not isinstance(raw[key], str) or not raw[key]):
            problems.append(f"{key} must be a text that is not empty, found {raw[key]!r}")
    socket = raw.get("socket")
    if isinstance(socket, str) and len(socket.encode()) > MAX_SOCKET_PATH_BYTES:
        problems.append(f"socket is longer than {MAX_SOCKET_PATH_BYTES} bytes: {socket}")
    # llama.cpp takes a host name for a path by this ending alone.
    if isinstance(socket, str) and not socket.endswith(".sock"):
        problems.append(f"socket must end in .sock: {socket}")
    port = raw.get("port", 1)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < _PORTS:
        problems.append(f"port must be a whole number from 1 to {_PORTS - 1}, found {port!r}")
    threads = raw.get("threads", 1)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        problems.append(f"threads must be a whole number of at least 1, found {threads!r}")
    timeout = raw.get("request_timeout_seconds", 60.0)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        problems.append(f"request_timeout_seconds must be a number above 0, found {timeout!r}")
    return problems + _api_problems(raw)


def _api_problems(raw: dict[str, Any]) -> list[str]:
    if "apis" not in raw:
        return []
    known = LLM_APIS if raw.get("framework") == "llm" else PREDICTIVE_APIS
    apis = raw["apis"]
    if not isinstance(apis, list) or not apis:
        return [f"apis must be a list that is not empty, found {apis!r}"]
    return [
        f"apis has {api!r}, this framework knows {', '.join(sorted(known))}"
        for api in apis
        if not isinstance(api, str) or api not in known
    ]
