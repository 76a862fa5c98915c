# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tests' own node, on which upstream's controllers run: what they are told must be what a kubelet would tell them."""

from __future__ import annotations

import json
import time
import typing as t
import urllib.request
from pathlib import Path

import pytest

from tests.cluster import controlled
from tests.cluster.conftest import random_name
from tests.cluster.controlled import ControlledCluster
from tests.cluster.node.requests import Requests
from tests.cluster.node.sandbox import Program
from tests.cluster.steps import Object, Platform

pytestmark = pytest.mark.skipif(bool(controlled.missing()), reason=controlled.missing())

_TELLS = """
import http.server, json, os, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        files = {str(f): f.read_text() for f in sorted(pathlib.Path("/told").rglob("*")) if f.is_file()}
        account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
        found = {"environment": dict(os.environ), "words": sys.argv[1:], "files": files, "user": os.getuid(),
                 "account": sorted(f.name for f in account.iterdir()), "hosts": pathlib.Path("/etc/hosts").read_text()}
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps(found).encode())
    def log_message(self, *args): pass
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""
_SECONDS = 300.0
_PYTHON = ("/usr/bin/python3", "-c")


@pytest.fixture(scope="module")
def cluster() -> t.Iterator[ControlledCluster]:
    programs = {
        "tells": Program({}, (*_PYTHON, _TELLS)),
        "ends": Program({}, (*_PYTHON, "")),
    }
    with ControlledCluster((), programs=programs) as running:
        yield running


@pytest.fixture
def platform(cluster: ControlledCluster) -> t.Iterator[Platform]:
    made = Platform(random_name(), cluster.kubeconfig)
    yield made
    made.remove()


def _told(address: str) -> t.Any:
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=_SECONDS) as answer:
        return json.load(answer)


def _applied(platform: Platform, *objects: Object) -> None:
    report = platform.apply([platform.space(), *objects], wait_timeout=_SECONDS)
    assert not report.problem, report.problem


def test_a_program_is_told_what_its_pod_says(
    platform: Platform, cluster: ControlledCluster
) -> None:
    deployment = platform.deployment(
        image="example.com/some/tells:1",
        args=["--name=$(NAME)"],
        env=[
            {"name": "NAME", "value": "model"},
            {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "CORES", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {
                "name": "SECRET",
                "valueFrom": {"secretKeyRef": {"name": "credential", "key": "key"}},
            },
        ],
        resources={"limits": {"cpu": "1500m"}},
        volumeMounts=[
            {"name": "settings", "mountPath": "/told/settings"},
            {"name": "labels", "mountPath": "/told/pod"},
        ],
        readinessProbe={"httpGet": {"path": "/", "port": 8080}},
    )
    deployment["spec"]["template"]["spec"]["volumes"] = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {
            "name": "labels",
            "downwardAPI": {
                "items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
            },
        },
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server", "namespace": platform.namespace},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    _applied(platform, platform.config(a="1"), platform.secret(key="word"), service, deployment)
    with Requests.to(cluster.kubeconfig) as api:
        (pod,) = api.items(f"/api/v1/namespaces/{platform.namespace}/pods")
    address = pod["status"]["podIP"]
    named = f"{address} server.{platform.namespace}.svc.cluster.local"
    deadline = time.monotonic() + _SECONDS
    # Names follow the endpoints, which follow the Pods.
    while named not in (told := _told(address))["hosts"]:
        assert time.monotonic() < deadline, told["hosts"]
        time.sleep(0.2)
    assert told["words"] == ["--name=model"]
    wanted = {"NAME": "model", "ADDRESS": address, "CORES": "2", "SECRET": "word"}
    assert wanted.items() <= told["environment"].items()
    assert told["files"]["/told/settings/a"] == "1"
    assert 'app="server"' in told["files"]["/told/pod/labels"]
    assert told["account"] == ["ca.crt", "namespace", "token"]
    assert told["user"] != 0


def test_an_image_that_nothing_stands_for_counts_as_ready(platform: Platform) -> None:
    _applied(platform, platform.deployment(replicas=2))


def test_a_job_ends(platform: Platform) -> None:
    template = platform.deployment(image="example.com/ends:1")["spec"]["template"]
    template["spec"]["restartPolicy"] = "Never"
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "namespace": platform.namespace},
        "spec": {"template": {"spec": template["spec"]}},
    }
    _applied(platform, job)


def test_nothing_is_left_of_a_network(cluster: ControlledCluster) -> None:
    network, _ = cluster.lan.host("short-lived")
    assert (Path("/run/netns") / network.name).exists()
    cluster.lan.drop("short-lived")
    assert not (Path("/run/netns") / network.name).exists()
