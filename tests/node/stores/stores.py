# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two stores in a cluster, each behind TLS: upstream's gateway for S3, and Python's own web server."""

from __future__ import annotations

import base64
import json
import secrets
import typing as t
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Cluster,
)

from inferencebox.bundle import image
from inferencebox.bundle.image import Settings
from inferencebox.bundle.tree import Tree
from inferencebox.programs import building
from tests.cluster.certificates import Authority
from tests.node.own_node import OwnNode
from tests.node.stores import inventory

Object = dict[str, t.Any]
_IMAGE = "localhost/tests/store:1"
_PORT = 8443
_USER = "reader"
_RUN = {"runAsUser": 65532, "runAsNonRoot": True}
# A bucket is a folder.
_COPY = """
import pathlib, shutil, inferencebox_samples
(folder := pathlib.Path("/data", *PARTS)).mkdir(parents=True, exist_ok=True)
shutil.copy(pathlib.Path(inferencebox_samples.__file__).parent / "iris/model.joblib", folder / NAME)
"""
_SERVE = f"""
import functools, http.server, ssl
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/data")
server = http.server.ThreadingHTTPServer(("", {_PORT}), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def start(node: OwnNode, authority: Authority) -> str:
    """Run both, and give the tenant credentials that do not open the one.

    Returns:
        The password that does.
    """
    _import(node)
    password = secrets.token_urlsafe(24)
    certificate, key = authority.issue("stores", names=inventory.HOSTS)
    tls = {"tls.crt": certificate.read_bytes(), "tls.key": key.read_bytes()}
    apply(
        node,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inventory.NAMESPACE}},
        _secret("tls", tls),
        _secret("root", {"user": _USER.encode(), "password": password.encode()}),
        *_store(),
        *_files(),
        _entry(),
        credentials("wrong"),
    )
    ready = ("--for=condition=Ready", "pods", "--all", "--timeout=300s")
    done = node.kubectl("wait", f"--namespace={inventory.NAMESPACE}", *ready)
    assert done.returncode == 0, done.stderr
    return password


def credentials(password: str) -> Object:
    """Make the Secret that the inventory names, as KServe reads it."""
    given = {"AWS_ACCESS_KEY_ID": _USER.encode(), "AWS_SECRET_ACCESS_KEY": password.encode()}
    made = _secret(inventory.SECRET, given)
    made["metadata"] |= {
        "namespace": inventory.OWNER,
        "annotations": {
            "serving.kserve.io/s3-endpoint": inventory.HOSTS[0],
            "serving.kserve.io/s3-region": "us-east-1",
        },
    }
    return made


def apply(node: OwnNode, *objects: Object) -> None:
    """Apply objects; what is secret goes through standard input."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    done = node.kubectl("apply", "--server-side", "--filename=-", given=given)
    assert done.returncode == 0, done.stderr


def _import(node: OwnNode) -> None:
    tree = Tree()
    program = building.directory("store", Path(__file__).parent) / "versitygw"
    tree.file("versitygw", program)
    archive = node.directory / "store.tar"
    image.write(archive, _IMAGE, tree, Settings(entrypoint=("/versitygw",)))
    address = f"--address={node.state}/run/containerd.sock"
    done = node.inside("ctr", address, "--namespace=k8s.io", "images", "import", str(archive))
    assert done.returncode == 0, done.stderr


def _secret(name: str, data: dict[str, bytes]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": inventory.NAMESPACE},
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _store() -> list[Object]:
    from_secret = {
        "ROOT_ACCESS_KEY_ID": "user",
        "ROOT_SECRET_ACCESS_KEY": "password",
    }
    container = {
        "name": "main",
        "image": _IMAGE,
        "args": [f"--port=:{_PORT}", "--cert=/tls/tls.crt", "--key=/tls/tls.key", "posix", "/data"],
        "env": [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": "root", "key": key}}}
            for name, key in from_secret.items()
        ],
    }
    return _served(inventory.S3, (inventory.BUCKET, "iris"), "model.joblib", container)


def _files() -> list[Object]:
    container = {
        "name": "main",
        "image": Cluster().runtime_image,
        "command": ["python", "-c", _SERVE],
    }
    return _served(inventory.HTTPS, (), "iris.joblib", container)


def _served(name: str, parts: tuple[str, ...], file: str, container: Object) -> list[Object]:
    """A pod that gets a copy of the sample model first, and its Service."""
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "tls", "mountPath": "/tls"}]
    copying = {
        "name": "copy",
        "image": Cluster().runtime_image,
        "command": ["python", "-c", f"PARTS, NAME = {parts!r}, {file!r}\n{_COPY}"],
        "volumeMounts": mounts[:1],
    }
    labels = {"app": name}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": inventory.NAMESPACE, "labels": labels},
        "spec": {
            "securityContext": {**_RUN, "fsGroup": 65532},
            "initContainers": [copying],
            "containers": [
                {
                    **container,
                    "volumeMounts": mounts,
                    "readinessProbe": {"tcpSocket": {"port": _PORT}},
                }
            ],
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "tls", "secret": {"secretName": "tls"}},
            ],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": inventory.NAMESPACE},
        "spec": {
            "selector": labels,
            "ports": [{"name": "https", "port": 443, "targetPort": _PORT}],
        },
    }
    return [pod, service]


def _entry() -> Object:
    """The operator's part for a store of one's own behind S3: the tenant's sidecars know only what is theirs."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "own-store", "namespace": inventory.OWNER},
        "spec": {
            "hosts": [inventory.HOSTS[0]],
            "exportTo": ["."],
            "location": "MESH_EXTERNAL",
            "resolution": "NONE",
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        },
    }
