# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform and two machines to plan it for, and what the parts of a plan depend on."""

from __future__ import annotations

import typing as t

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.local.layout import Host
from ansible_collections.inferencebox.platform.plugins.module_utils.local.plan import LocalPlan

from tests.unit.plugins.module_utils.inventory.sample import changed

Json = dict[str, t.Any]

HOSTS = {
    "root": Host(root=True, user="root", group="root", cpus=8, envoy="/srv/demo/runtime/bin/envoy"),
    "user": Host(root=False, user="ada", group="staff", cpus=2, envoy="/home/ada/bin/envoy"),
}
JWK = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "kid": "one"}
ARTIFACTS = {
    "iris": {"path": "/srv/demo/artifacts/tenant-a/iris/1", "digest": "sha256:aa"},
    "chatty": {"path": "/srv/demo/artifacts/tenant-b/chatty/1/model.gguf", "digest": "sha256:bb"},
}
KEYS: list[Json] = [
    {"id": "one", "tenant": "tenant-a", "requests_per_minute": 5},
    {"id": "two", "tenant": "tenant-that-left", "requests_per_minute": None},
]
STATES = {"iris": {"ready": True, "replicas": 2, "reason": None}}
LIVE = {"iris": ["/srv/demo/run/models/tenant-a/one.sock"]}


def plan(changes: t.Mapping[str, t.Any] | None = None, host: str = "root") -> LocalPlan:
    """Plan the valid inventory, with other values at some paths."""
    return LocalPlan(load(changed(dict(changes or {}))), HOSTS[host])


# Keyword arguments of each part that has any; tier1 and tier2 have golden files of their own.
NEEDS: dict[str, Json] = {
    "users": {},
    "directories": {},
    "listeners": {},
    "certificates": {},
    "artifacts": {},
    "credentials": {},
    "gateways": {},
    "gateway_waits": {},
    "replicas": {"artifacts": ARTIFACTS},
    "endpoints": {"live": LIVE},
    "targets": {"live": LIVE},
    "prometheus": {"binary": "/usr/bin/prometheus"},
    "outcome": {
        "replicas": [
            {"id": "model.tenant-a.iris.aa.0", "model": "iris", "socket": LIVE["iris"][0]},
            {"id": "model.tenant-a.iris.aa.1", "model": "iris", "socket": "/srv/other.sock"},
        ],
        "failed_programs": {"model.tenant-a.iris.aa.1": "it is too slow."},
        "failed_artifacts": {"chatty": "https://example.org/model.gguf is not there."},
    },
    "records": {"cli": ["/srv/bin/inferencebox"], "states": STATES},
}
