# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Produce each failure of docs/troubleshooting.md for real: one function for each heading, its result is what was said.

What takes a run of `up` is produced once for all headings that speak of it.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import httpx2
import pytest
import yaml

from ..behaviour import processes
from ..behaviour.client import http_client
from ..behaviour.platform_json import Platform
from .workplace import Workplace

Vars = dict[str, t.Any]

_IRIS = "python://inferencebox_samples/iris"
_BODY = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
_OWNER = "breaker"
_HEALS_WITHIN_SECONDS = 120.0


class Failures:
    """What was said of each failure."""

    def __init__(self, place: Workplace) -> None:
        """Fail at a workplace."""
        self._place = place

    @functools.cached_property
    def mistakes(self) -> str:
        """An inventory with many mistakes."""
        long = f"{self._place.files}/{'a-directory-' * 8}"
        variables = self._variables()
        orphan = {"name": "orphan", "tenant": "tenant-a", "framework": "sklearn", "source": _IRIS}
        serving = {"replicas": {"min": 0, "max": 1}, "resources": {"memory": "1Gi"}}
        changes = {
            "platform_gatway": {"https_port": variables["platform_gateway"]["https_port"]},
            "platform_home": long,
            "models": [*variables["models"], {**orphan, "version": 1, "serving": serving}],
        }
        return self._said("inferencebox config validate", self._inventory("mistakes", changes))

    def no_yaml(self) -> str:
        """A file that ends in the middle."""
        inventory = self._inventory("no-yaml", {})
        (inventory / "group_vars/all/broken.yml").write_text("models: [")
        said = self._said("inferencebox config validate", inventory)
        assert "broken.yml:" in said, said
        return said

    def no_inventory(self) -> str:
        """A directory that does not exist."""
        return self._said(self._place.here("inferencebox up -i inventories/nowhere.local"))

    def port_taken(self) -> str:
        """Another program listens where the gateway should."""
        holder = (
            "import socket,sys; s=socket.create_server(('127.0.0.1', 0));"
            "print(s.getsockname()[1], flush=True); sys.stdin.read()"
        )
        # Named as the page names it, whatever the interpreter's file is called.
        command = ["python3", "-c", holder]
        with subprocess.Popen(
            command,
            executable=sys.executable,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            port = int(process.stdout.readline())
            gateway = {**self._variables()["platform_gateway"], "https_port": port}
            inventory = self._inventory("port", {"platform_gateway": gateway})
            said = self._said("inferencebox up", inventory)
            process.kill()
        return said

    def closed_python(self) -> str:
        """No interpreter that others may run, in a mount namespace of its own."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            pytest.skip("only root's platforms have several Unix users")
        if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
            pytest.skip("this machine allows no mount namespace")
        closed = self._place.files / "python"
        shutil.copy(Path(sys.executable).resolve(), closed)
        closed.chmod(0o700)
        candidates = [*Path("/usr/bin").glob("python3.[0-9]*"), Path(sys.executable).resolve()]
        mounts = [
            f"mount --bind {shlex.quote(str(closed))} {shlex.quote(str(path))}"
            for path in candidates
            if path.name.removeprefix("python3.").isdigit() and not path.is_symlink()
        ]
        script = " && ".join([*mounts, "inferencebox up --check"])
        return self._said(f"unshare --mount sh -c {shlex.quote(script)}")

    @functools.cached_property
    def broken(self) -> tuple[str, Platform]:
        """Models that cannot be loaded, and one that is too slow, on a platform whose others go on."""
        files = self._place.files / "flowers"
        files.mkdir(exist_ok=True)
        (files / "no.gguf").write_text("not gguf at all\n")
        samples = Path(__file__).resolve().parents[2] / "src/inferencebox_samples"
        shutil.copy(samples / "wine/model.txt", files / "wine.txt")
        shutil.copy(samples / "iris/model.joblib", files / "iris.joblib")
        llm = next(m["source"] for m in self._variables()["models"] if m["framework"] == "llm")
        tiny = {"resources": {"memory": "128Mi"}}
        models = [
            self._model("absent", source=f"file://{files}/absent.joblib"),
            self._model(
                "changed", source=f"file://{files}/iris.joblib", checksum="sha256:" + "0" * 64
            ),
            self._model("mislabelled", source=f"file://{files}/wine.txt"),
            self._model("empty", source="python://inferencebox_samples/wine"),
            self._model("no-gguf", framework="llm", source=f"file://{files}/no.gguf"),
            self._model("tiny", framework="llm", source=llm, serving=tiny),
            self._model("hasty", serving={"request_timeout": "1ms"}),
            self._model("late", framework="llm", source=llm, serving={"start_timeout": "10ms"}),
        ]
        variables = self._variables()
        tenant = {
            "name": _OWNER,
            "models": {"allow": [model["name"] for model in models]},
            "limits": {"requests_per_minute": 30},
        }
        changes = {
            "platform_observability": {
                **variables["platform_observability"],
                "prometheus": "disabled",
            },
            "tenants": [*variables["tenants"], tenant],
            "models": [*variables["models"], *models],
        }
        # Looked at by the tests, not here: who fails is run again for each of them.
        done = self._place.run("inferencebox up", inventory=self._inventory("broken", changes))
        return done.stdout, Platform.read(self._place.own.platform_json)

    @staticmethod
    def _model(name: str, **changes: t.Any) -> Vars:
        usual = {"framework": "sklearn", "source": _IRIS, "publish": {"example": _BODY}}
        model = {"name": name, "tenant": _OWNER, **usual, **changes}
        if model["framework"] == "llm":
            del model["publish"]
        return model

    def ask(
        self,
        path: str,
        body: object,
        *,
        tenant: str = _OWNER,
        method: str = "POST",
        anyone: bool = False,
    ) -> str:
        """Ask the gateway; status and message of its answer."""
        _, platform = self.broken
        token = self._place.run(f"inferencebox token {tenant}").stdout.strip()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        if not anyone:
            headers["authorization"] = f"Bearer {token}"
        with http_client(platform) as client:
            answer = client.request(method, path, content=content, headers=headers)
            if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
                # Another failure here uses a minute up.
                time.sleep(float(answer.headers["retry-after"]))
                answer = client.request(method, path, content=content, headers=headers)
            return _told(answer)

    def too_often(self) -> str:
        """More requests in a minute than the tenant may send."""
        _, platform = self.broken
        token = self._place.run(f"inferencebox token {_OWNER}").stdout.strip()
        with http_client(platform) as client:
            for _ in range(100):
                answer = client.get("/v1/models", headers={"authorization": f"Bearer {token}"})
                if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
                    assert int(answer.headers["retry-after"]) >= 1
                    return _told(answer)
        raise AssertionError("no limit was met")

    def killed(self) -> str:
        """A model server that is killed as the kernel would, again and again until somebody looks in the pause."""
        own = self._place.own
        deadline = time.monotonic() + _HEALS_WITHIN_SECONDS
        while "its process ended" not in (said := own.ask("status")):
            assert time.monotonic() < deadline, said
            for process in processes.find(own.home, "model"):
                if any("model.tenant-b.wine." in word for word in process.command):
                    process.kill()
        while "\nwine:" in own.ask("status"):
            assert time.monotonic() < deadline, "it does not come back"
            time.sleep(0.5)
        return said

    def no_prometheus(self) -> str:
        """A platform that is told to do without."""
        assert self.broken
        return self._place.run("inferencebox status").stdout

    def untrusted(self) -> str:
        """A caller that does not know the platform's authority."""
        port = self._variables()["platform_gateway"]["https_port"]
        return self._said(f"curl --silent --show-error https://localhost:{port}/healthz")

    def no_platform(self) -> str:
        """A directory without a platform."""
        return self._said(f"inferencebox --home {self._place.files} status")

    def no_tenant(self) -> str:
        """A token for nobody."""
        return self._said("inferencebox token nobody")

    def no_key_file(self) -> str:
        """An external issuer whose keys are not there."""
        return self._issuer("jwks-file", jwks_file=f"{self._place.files}/no-keys.json")

    def refused_by_envoy(self) -> str:
        """An external issuer whose authority is no certificate."""
        file = self._place.files / "no-certificate.crt"
        file.write_text("nothing\n", encoding="utf-8")
        said = self._issuer("ca-file", jwks_uri="https://idp.example.org/keys", ca_file=str(file))
        assert "Failed to load trusted CA certificates" in said, said
        return said

    def _issuer(self, name: str, **keys: str) -> str:
        corp = {"name": "corp", "issuer": "https://idp.example.org", "audiences": ["x"], **keys}
        identity = {"issuers": [{"name": "builtin"}, corp]}
        inventory = self._inventory(name, {"platform_identity": identity})
        return self._said("inferencebox up --tags ai_gateway", inventory)

    def _said(self, command: str, inventory: Path | None = None) -> str:
        done = self._place.run(command, inventory=inventory)
        assert done.returncode != 0, f"{command} did not fail:\n{done.stdout}"
        return done.stdout

    def _base(self) -> Path:
        # The inventory of the page about getting started, when that came before: its tenant is then still there.
        mine = self._place.files / "mine.local"
        return mine if mine.exists() else self._place.inventory

    def _variables(self) -> Vars:
        merged: Vars = {}
        for file in sorted((self._base() / "group_vars/all").glob("*.yml")):
            merged |= yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return merged

    def _inventory(self, name: str, changes: Vars) -> Path:
        """A copy of the inventory with some variables changed."""
        made = self._place.files / name
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(self._base(), made)
        changed = made / "group_vars/all/zzz.yml"
        changed.write_text("---\n" + yaml.safe_dump(changes), encoding="utf-8")
        return made


def _told(answer: httpx2.Response) -> str:
    error = answer.json()["error"]
    return f"{answer.status_code} {error['message'] if isinstance(error, dict) else error}"


_CHAT = "/v1/chat/completions"

# Heading of the page -> what was said.
FAILURES: dict[str, t.Callable[[Failures], str]] = {
    "A key that does not exist": lambda one: one.mistakes,
    "A value of the wrong kind": lambda one: one.mistakes,
    "A model that nobody may call": lambda one: one.mistakes,
    "Something that the target does not honour yet": lambda one: one.mistakes,
    "A directory whose path is too long": lambda one: one.mistakes,
    "A file that is no YAML": Failures.no_yaml,
    "An inventory that is not there": Failures.no_inventory,
    "A port that is taken": Failures.port_taken,
    "No Python for other users": Failures.closed_python,
    "Its file is missing": lambda one: one.broken[0],
    "Its checksum differs": lambda one: one.broken[0],
    "Its framework is another one": lambda one: one.broken[0],
    "Its directory holds no model, or several": lambda one: one.broken[0],
    "It is no GGUF file": lambda one: one.broken[0],
    "Its memory is too small": lambda one: one.broken[0],
    "It is late": lambda one: one.broken[0],
    "Its server was killed": Failures.killed,
    "There is no Prometheus": Failures.no_prometheus,
    "401": lambda one: one.ask(_CHAT, {"model": "smollm2"}, anyone=True),
    "404 for a model": lambda one: one.ask("/v1/models/wine:predict", _BODY),
    "404 for a path": lambda one: one.ask("/v1/nothing", _BODY),
    "400 without a model": lambda one: one.ask(_CHAT, b"{"),
    "413": lambda one: one.ask("/v1/models/hasty:predict", b" " * (9 * 2**20)),
    "429": Failures.too_often,
    "503": lambda one: one.ask("/v1/models/mislabelled:predict", _BODY),
    "504": lambda one: one.ask("/v1/models/hasty:predict", _BODY),
    "The certificate is not trusted": Failures.untrusted,
    "There is no running platform": Failures.no_platform,
    "There is no such tenant": Failures.no_tenant,
    "An issuer's key file cannot be read": Failures.no_key_file,
    "Envoy refuses the configuration": Failures.refused_by_envoy,
}
