# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an installed platform says of itself to commands and tests: platform.json and what was applied."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..inventory import Model, Platform, to_vars
from ..serving import runtime_of
from . import naming

_SERVED_HERE = frozenset({"sklearn", "xgboost", "lightgbm", "llm"})


@dataclass(frozen=True)
class Place:
    """Where a platform is, as the install found it.

    Attributes:
        cli: The inferencebox command, word by word.
        address: Host or IP address that the edge's Service has; empty where it has none.
        authority: Certificates, as PEM, that vouch for the edge; empty where there are none yet.
        kubeconfig: Path; empty for kubectl's own.
        context: Context of it; empty for its current one.
    """

    cli: Sequence[str]
    address: str = ""
    authority: str = ""
    kubeconfig: str = ""
    context: str = ""


def files(platform: Platform, place: Place) -> list[dict[str, Any]]:
    """Make the files of a platform's home: what was applied, the edge's authority, platform.json.

    Returns:
        Rows with path, content and mode.
    """
    home = platform.home
    contents = {
        f"{home}/state/inventory.json": (_json(to_vars(platform)), "0600"),
        f"{home}/platform.json": (_json(description(platform, place)), "0644"),
    }
    if place.authority:
        contents[ca_file(platform)] = (place.authority, "0644")
    return [
        {"path": path, "content": content, "mode": mode}
        for path, (content, mode) in contents.items()
    ]


def description(platform: Platform, place: Place) -> dict[str, Any]:
    """Make platform.json, the same as on other targets but for where the cluster is."""
    return {
        "format": 1,
        "name": platform.name,
        "target": platform.target,
        "train": platform.train,
        "gateway": platform.engine.gateway,
        "home": platform.home,
        "base_url": platform.base_url,
        "connect_to": _connect_to(platform, place.address),
        "ca_file": ca_file(platform),
        "cluster": {
            "provider": platform.cluster.provider,
            "kubeconfig": place.kubeconfig,
            "context": place.context,
        },
        "token_command": [*place.cli, "--home", platform.home, "token", "{tenant}"],
        "tenants": {
            tenant.name: {"models": [model.name for model in platform.allowed(tenant.name)]}
            for tenant in platform.tenants
        },
        "models": {model.name: _model(model) for model in platform.models},
    }


def ca_file(platform: Platform) -> str:
    """Where the authority of the edge lies, for callers on this machine."""
    return f"{platform.home}/pki/ca.crt"


def _connect_to(platform: Platform, found: str) -> str:
    """Where callers connect: the address of the inventory, else what the cluster gave, else the host's own."""
    address = platform.gateway.address
    if ipaddress.ip_address(address).is_unspecified:
        address = found or naming.gateway_host(platform)
    shown = f"[{address}]" if ":" in address else address
    return f"{shown}:{platform.gateway.https_port}"


def _model(model: Model) -> dict[str, Any]:
    row: dict[str, Any] = {
        "owner": model.tenant,
        "framework": model.framework,
        "version": model.version,
        "apis": list(model.publish.apis),
    }
    if (found := example(model)) is not None:
        row["example"] = found
    return row


def example(model: Model) -> dict[str, Any] | None:
    """One request that a model answers, with path and body; None where it is not known."""
    if model.framework not in _SERVED_HERE:
        return None
    runtime = runtime_of(model.framework)
    body = model.publish.example or runtime.example_body(model.name)
    if body is None:
        return None
    return {"path": runtime.example_path.format(name=model.name), "body": body}


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, sort_keys=True) + "\n"
