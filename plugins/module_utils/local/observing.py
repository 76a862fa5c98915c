# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What watches a platform on one machine: Prometheus, what it asks, and who may read it."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..envoy.metrics import TIER1_PATH, TIER2_PATH
from ..inventory import Model, Platform
from .layout import LOOPBACK, Layout

Json = dict[str, t.Any]

_PROGRAM = "prometheus"
# Whichever is reached first ends what is kept: a laptop's disk is not an archive.
_KEPT_DAYS = 15
_KEPT_SIZE = "512MB"


def prometheus(layout: Layout, platform: Platform, binary: str) -> Json:
    """How Prometheus is run.

    Args:
        layout: Paths and owners.
        platform: The platform.
        binary: Path of its executable.

    Returns:
        files: its configuration; programs and waits: as the supervisor module takes them.
    """
    user = layout.tier_user("metrics")
    # JSON is YAML, the language in which Prometheus reads both.
    contents = {"prometheus.yml": _scraping(layout, platform), "web.yml": _web(layout)}
    files = [
        {
            "path": layout.path("prometheus", name),
            "content": json.dumps(content, indent=2, sort_keys=True) + "\n",
            "mode": "0640",
            "owner": layout.host.user,
            "group": layout.group_of(user),
        }
        for name, content in contents.items()
    ]
    digest = hashlib.sha256("".join(each["content"] for each in files).encode()).hexdigest()
    program: Json = {
        "name": _PROGRAM,
        "command": [
            binary,
            f"--config.file={layout.path('prometheus', 'prometheus.yml')}",
            f"--web.config.file={layout.path('prometheus', 'web.yml')}",
            f"--web.listen-address={LOOPBACK}:{platform.observability.prometheus_port}",
            f"--storage.tsdb.path={layout.path('prometheus', 'data')}",
            f"--storage.tsdb.retention.time={_KEPT_DAYS}d",
            f"--storage.tsdb.retention.size={_KEPT_SIZE}",
            "--log.level=warn",
        ],
        "directory": layout.path("prometheus"),
        "user": user if layout.host.root else None,
        # It reads its configuration at its start.
        "revision": digest[:12],
        "priority": 40,
        "stdout_log": layout.log(_PROGRAM),
        "stderr_log": layout.log(_PROGRAM),
        "stop_seconds": 20,
        "environment": {},
    }
    operator = layout.path("pki", "operator", "operator")
    wait: Json = {
        "program": _PROGRAM,
        "gateway": {
            "address": LOOPBACK,
            "port": platform.observability.prometheus_port,
            "name": "localhost",
            "ca_file": layout.path("pki", "ca.crt"),
            "certificate": f"{operator}.crt",
            "key": f"{operator}.key",
        },
        "path": "/-/ready",
        "timeout": 30.0,
        "log": layout.log(_PROGRAM),
    }
    return {"files": files, "programs": [program], "waits": [wait]}


def targets(layout: Layout, platform: Platform, model: Model, paths: t.Mapping[str, str]) -> Json:
    """The file by which Prometheus finds the replicas of a model.

    Args:
        layout: Paths and owners.
        platform: The platform.
        model: The model.
        paths: Where the metrics listener shows each replica, by the replica's name.
    """
    address = f"{LOOPBACK}:{platform.observability.metrics_port}"
    rows = [
        {
            "targets": [address],
            "labels": {
                "__metrics_path__": path,
                "instance": f"{model.tenant}/{model.name}/{replica}",
                "tenant": model.tenant,
                "model": model.name,
                "version": model.version,
            },
        }
        for replica, path in paths.items()
    ]
    return {
        "path": layout.path("prometheus", "targets", f"{model.tenant}.{model.name}.json"),
        "content": json.dumps(rows, indent=2, sort_keys=True) + "\n",
        "mode": "0640",
        "owner": layout.host.user,
        "group": layout.group_of(layout.tier_user("metrics")),
    }


def description(layout: Layout, platform: Platform) -> Json:
    """The part of platform.json about figures: addresses, and the certificate with which to ask."""
    shown = platform.observability
    wanted = shown.prometheus != "disabled"
    return {
        "prometheus_url": f"https://localhost:{shown.prometheus_port}" if wanted else None,
        "metrics_url": f"https://localhost:{shown.metrics_port}",
        "client_certificate": layout.path("pki", "operator", "operator.crt"),
        "client_key": layout.path("pki", "operator", "operator.key"),
    }


def _scraping(layout: Layout, platform: Platform) -> Json:
    address = f"{LOOPBACK}:{platform.observability.metrics_port}"
    own = f"{LOOPBACK}:{platform.observability.prometheus_port}"
    certificate = layout.path("pki", "metrics", "metrics")
    https = {
        "scheme": "https",
        "tls_config": {
            "ca_file": layout.path("pki", "ca.crt"),
            "cert_file": f"{certificate}.crt",
            "key_file": f"{certificate}.key",
            "server_name": "localhost",
        },
    }
    tiers = [
        {"targets": [address], "labels": {"__metrics_path__": path, "instance": path[1:]}}
        for path in (TIER1_PATH, TIER2_PATH)
    ]
    return {
        "global": {
            "scrape_interval": "15s",
            "scrape_timeout": "10s",
            "external_labels": {"platform": platform.name},
        },
        "scrape_configs": [
            {"job_name": "gateway", "static_configs": tiers, **https},
            {
                "job_name": "model",
                # Predictive servers name tenant, model and version themselves, and mean the same.
                "honor_labels": True,
                "file_sd_configs": [{"files": [layout.path("prometheus", "targets", "*.json")]}],
                **https,
            },
            {
                "job_name": _PROGRAM,
                "static_configs": [{"targets": [own], "labels": {"instance": _PROGRAM}}],
                **https,
            },
        ],
    }


def _web(layout: Layout) -> Json:
    certificate = layout.path("pki", "metrics", "metrics")
    return {
        "tls_server_config": {
            "cert_file": f"{certificate}.crt",
            "key_file": f"{certificate}.key",
            "client_auth_type": "RequireAndVerifyClientCert",
            "client_ca_file": layout.path("pki", "ca.crt"),
            "min_version": "TLS12",
        }
    }
