# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pod of a tenant that does what its owner likes, and not what its platform meant it to."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from tests.node.own_node import OwnNode

Object = dict[str, t.Any]
_READY_SECONDS = 180
_ASK = """
import http.client, json, socket, ssl, sys
asked = json.loads(sys.argv[1])
trust = ssl.create_default_context()
trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
try:
    if asked["tls"]:
        one = http.client.HTTPSConnection(asked["host"], asked["port"], timeout=10, context=trust)
    else:
        one = http.client.HTTPConnection(asked["host"], asked["port"], timeout=10)
    headers = asked["headers"]
    if asked["account"]:
        account = "/var/run/secrets/kubernetes.io/serviceaccount/token"
        headers["Authorization"] = "Bearer " + open(account).read()
    one.request(asked["method"], asked["path"], asked["body"], headers)
    answer = one.getresponse()
    print(json.dumps([answer.status, answer.read(2000).decode(errors="replace")]))
except (OSError, http.client.HTTPException) as error:
    print(json.dumps([0, repr(error)]))
"""


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where nothing did.

    Attributes:
        status: Of the answer.
        text: Its body, or what went wrong.
    """

    status: int
    text: str


@dataclass(frozen=True)
class Intruder:
    """One pod.

    Attributes:
        node: Where it runs.
        tenant: Whose it is.
        name: Its name.
    """

    node: OwnNode
    tenant: str
    name: str

    @classmethod
    def start(cls, node: OwnNode, tenant: str, name: str, *, meshed: bool) -> Intruder:
        """Start it, with an identity in the mesh or without one."""
        apply(node, _pod(node, tenant, name, meshed=meshed))
        wait = ["wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={_READY_SECONDS}s"]
        done = node.kubectl("--namespace", tenant, *wait)
        assert done.returncode == 0, done.stderr
        return cls(node, tenant, name)

    def stop(self) -> None:
        """Remove it."""
        self.node.kubectl("--namespace", self.tenant, "delete", "pod", self.name, "--now")

    def ask(
        self,
        host: str,
        port: int,
        path: str = "/",
        *,
        method: str = "GET",
        headers: t.Mapping[str, str] | None = None,
        body: object = None,
        tls: bool = False,
        account: bool = False,
    ) -> Answer:
        """Make one request from inside of it.

        Args:
            host: Whom to connect to.
            port: Its port.
            path: What to ask for.
            method: HTTP's method.
            headers: Headers of the request.
            body: What to send, as JSON.
            tls: Over TLS, and believe whoever answers.
            account: With the token of its service account.
        """
        asked = {
            "host": host,
            "port": port,
            "path": path,
            "method": method,
            "headers": {"Content-Type": "application/json", **(headers or {})},
            "body": None if body is None else json.dumps(body),
            "tls": tls,
            "account": account,
        }
        words = ["exec", self.name, "--container=main", "--", "python", "-c", _ASK]
        done = self.node.kubectl("--namespace", self.tenant, *words, json.dumps(asked))
        assert done.returncode == 0, done.stderr
        return Answer(*json.loads(done.stdout))


def apply(node: OwnNode, one: Object, *options: str) -> str:
    """Apply an object.

    Returns:
        Why it was refused; empty where it was not.
    """
    done = node.kubectl("apply", "--filename=-", *options, given=json.dumps(one))
    return done.stderr if done.returncode else ""


def _pod(node: OwnNode, tenant: str, name: str, *, meshed: bool) -> Object:
    described = json.loads((node.bundle / "bundle.json").read_text())["images"]
    (image,) = (row["name"] for row in described if "/runtime:" in row["name"])
    least = {"cpu": "10m", "memory": "64Mi"}
    container = {
        "name": "main",
        "image": image,
        "command": ["python", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
        "resources": {"requests": least, "limits": {"cpu": "1", "memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": tenant,
            "labels": {"sidecar.istio.io/inject": "true" if meshed else "false"},
        },
        "spec": {
            "serviceAccountName": "default",
            "automountServiceAccountToken": True,
            "containers": [container],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }
