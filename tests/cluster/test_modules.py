# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules as Ansible runs them: what they say, and what they do not."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import state
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

from tests.cluster.steps import Object, Platform, statuses
from tests.cluster.test_apply import as_another

_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
_SECRET = "a-credential-that-nobody-may-see"


def play(
    directory: Path, module: str, arguments: dict[str, t.Any], *flags: str
) -> tuple[int, t.Any, str]:
    """Run one task; return the exit status, the task's result and all that was printed with -vvv."""
    task = {"name": "Run", f"inferencebox.platform.{module}": arguments}
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    playbook = directory / "play.yml"
    playbook.write_text(yaml.safe_dump(plays))
    inventory = f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}"
    (directory / "hosts").write_text(inventory)
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    command = [str(_PLAYBOOK), "-i", str(directory / "hosts"), str(playbook), *flags]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout[done.stdout.index("{\n") :])
    result = document["plays"][0]["tasks"][0]["hosts"]["localhost"]
    environment["ANSIBLE_STDOUT_CALLBACK"] = "default"
    loud = subprocess.run(
        [*command, "-vvv"], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, result, done.stdout + loud.stdout + loud.stderr


def arguments(platform: Platform, objects: list[Object], **options: t.Any) -> dict[str, t.Any]:
    return {
        "objects": objects,
        "platform": platform.name,
        "kubeconfig": platform.kubeconfig,
        **options,
    }


def test_a_run_reports_each_object_and_no_secret(platform: Platform, tmp_path: Path) -> None:
    objects = [platform.space(), platform.secret(key=_SECRET), platform.config(a="1")]
    wanted = arguments(platform, objects)
    _, checked, printed = play(tmp_path, "apply", wanted, "--check", "--diff")
    assert checked["counts"] == {"created": 3}
    code, result, more = play(tmp_path, "apply", wanted, "--diff")
    assert code == 0
    assert result["counts"] == {"created": 3}
    assert result["changed"] is True
    first = result["objects"][0]
    assert (first["api_version"], first["kind"], first["status"]) == ("v1", "Namespace", "created")
    assert "a: '1'" in printed + more
    encoded = base64.b64encode(_SECRET.encode()).decode()
    assert _SECRET not in printed + more
    assert encoded not in printed + more


def test_a_refused_secret_is_not_quoted(platform: Platform, tmp_path: Path) -> None:
    wrong = platform.secret(key=_SECRET)
    wrong["immutable"] = _SECRET
    code, result, printed = play(tmp_path, "apply", arguments(platform, [platform.space(), wrong]))
    assert code != 0
    assert f"Secret {platform.namespace}/credential: " in result["msg"]
    assert result["counts"] == {"created": 1, "failed": 1}
    assert _SECRET not in printed


def test_an_unusable_kubeconfig_is_one_sentence(platform: Platform, tmp_path: Path) -> None:
    wanted = arguments(platform, [platform.secret(key=_SECRET)], kubeconfig="/nowhere/at/all")
    code, result, printed = play(tmp_path, "apply", wanted)
    assert code != 0
    assert result["msg"].startswith("no kubeconfig at /nowhere/at/all.")
    assert _SECRET not in printed


def test_the_state_of_a_platform_and_its_drift(
    platform: Platform, tmp_path: Path, api: Api
) -> None:
    space, kept, gone = platform.space(), platform.config("kept", a="1"), platform.config("gone")
    edited, taken = platform.config("edited", a="1"), platform.deployment()
    assert not platform.apply([space, kept, gone, edited, taken], part="models").problem
    path = platform.path("configmaps", "edited")
    as_another(api, path, {"data": {"a": None}}, "somebody")
    path = platform.path("deployments", "server", "apps/v1")
    as_another(api, path, {"spec": {"replicas": 4}}, "somebody")
    wanted = [space, kept, platform.config("absent"), edited, taken]
    code, result, _ = play(tmp_path, "cluster_info", arguments(platform, wanted))
    assert code == 0
    assert result["changed"] is False
    assert result["version"].startswith("v1.")
    rows = {row["name"]: row for row in result["objects"]}
    assert set(rows) == {platform.name, "kept", "gone", "edited", "server"}
    assert rows["kept"]["ready"] is True
    assert rows["kept"]["part"] == "models"
    assert rows["server"]["ready"] is False
    assert "has not seen this version" in rows["server"]["reason"]
    drift = {kind: [row["name"] for row in found] for kind, found in result["drift"].items()}
    assert drift == {
        "missing": ["absent"],
        "changed": ["edited"],
        "taken": ["server"],
        "refused": [],
        "unexpected": ["gone"],
    }
    assert result["drift"]["taken"][0]["conflicts"] == [
        {"field": ".spec.replicas", "manager": "somebody"}
    ]


def test_someone_with_few_rights_learns_what_was_not_searched(
    platform: Platform, tmp_path: Path, api: Api
) -> None:
    """A ServiceAccount may apply in its namespace only; its token comes by kubeconfig."""
    namespace = platform.namespace
    account: Object = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "few", "namespace": namespace},
    }
    rbac = "rbac.authorization.k8s.io"
    rules = [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["get", "list", "patch", "create"],
        }
    ]
    role: Object = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": platform.name},
        "rules": rules,
    }
    subject = {"kind": "ServiceAccount", "name": "few", "namespace": namespace}
    binding: Object = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": platform.name},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": platform.name},
        "subjects": [subject],
    }
    assert not platform.apply([platform.space(), account, role, binding], part="rights").problem
    answer = api._client.post(
        platform.path("serviceaccounts", "few") + "/token",
        json={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )
    content = yaml.safe_load(Path(platform.kubeconfig).read_text())
    content["users"] = [{"name": "few", "user": {"token": answer.json()["status"]["token"]}}]
    content["contexts"][0]["context"]["user"] = "few"
    limited = tmp_path / "kubeconfig"
    limited.write_text(yaml.safe_dump(content))
    few = Platform(platform.name, str(limited))

    report = few.apply([few.config(a="1")], part="models", prune=True)
    assert statuses(report) == {"ConfigMap settings": "created"}
    assert any("secrets is forbidden" in warning for warning in report.warnings)
    assert statuses(few.apply([few.config(a="1")], part="models")) == {
        "ConfigMap settings": "unchanged"
    }
    with pytest.raises(ClusterError, match="secrets is forbidden"):
        few.apply([few.secret(key=_SECRET)], part="models")
    reading = state.read(few.name, kubeconfig=str(limited))
    assert [row["name"] for row in reading.objects] == ["settings"]
    assert reading.unreadable
