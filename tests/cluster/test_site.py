# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`site.yml` on an API server: check, install, look, remove; Molecule's scenario installs again, and looks for what stays.

The charts and manifests are upstream's, out of Go modules, in a folder that `platform_bundle` names. What no module
carries is there already, as `platform_cluster.provided` says. There is no node and no controller of a component, so
nothing waits, Jobs of charts are ended by hand, and admission webhooks are off: nobody would answer them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import removal
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api, connect
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import components

from inferencebox.cli.config import load_inventory
from tests.behaviour.platform_json import Platform as Described
from tests.cluster import bundle
from tests.cluster.conftest import random_name
from tests.cluster.control_plane import ControlPlane
from tests.cluster.site import Identity, Run, Site, everything, provide
from tests.cluster.stand_in_kubelet import StandInKubelet
from tests.cluster.steps import Object, Platform

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KUBECONFIG")), reason="a given cluster gets no components"
)
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Story:
    """What happened, in the order of the fields.

    Attributes:
        name: Name of the platform.
        before: All objects of the cluster before anything.
        checked: What check mode says of the empty cluster.
        after_check: All objects after it.
        installed: The install.
        pods: What the API server says of each pod that a Deployment of the platform would make; empty when it takes it.
        home: The platform's files by name.
        status: What `inferencebox status --json` says.
        foreign: Who keeps cert-manager from going, when somebody else has an Issuer.
        unchecked: What check mode says of the uninstall.
        removed: The uninstall.
    """

    name: str
    before: set[Identity]
    checked: Run
    after_check: set[Identity]
    installed: Run
    pods: dict[str, str]
    home: dict[str, str]
    described: Described
    status: dict[str, t.Any]
    foreign: list[str]
    unchecked: Run
    removed: Run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Story]:
    """Let it happen, once."""
    folder = tmp_path_factory.mktemp("site")
    with (
        ControlPlane(webhooks=False) as plane,
        StandInKubelet(str(plane.kubeconfig)),
        connect(str(plane.kubeconfig)) as api,
    ):
        yield _tell(folder, str(plane.kubeconfig), api)


def _tell(folder: Path, kubeconfig: str, api: Api) -> Story:
    name = random_name().removeprefix("ib-")
    home = folder / "home"
    variables = {
        "platform_name": name,
        "platform_home": str(home),
        "platform_bundle": str(bundle.make(folder / "bundle")),
        "platform_gateway": {"address": "0.0.0.0", "https_port": 30443},
        "platform_cluster": {
            "service_type": "NodePort",
            "wait": False,
            "provided": list(bundle.MISSING),
        },
    }
    provide(kubeconfig)
    site = Site(kubeconfig, variables, folder)
    before = everything(api)
    checked = site.play("site.yml", "--check", "--diff")
    after_check = everything(api)
    installed = site.play("site.yml")
    pods = _pods(api, "inferencebox-system") | _pods(api, "envoy-gateway-system")
    files = {str(path.relative_to(home)): path.read_text() for path in home.rglob("*.json")}
    described = Described.read(home / "platform.json")
    status = _status(home, kubeconfig)
    foreign = _foreign_issuer(api, kubeconfig, name)
    unchecked = site.play("playbooks/uninstall.yml", "--check")
    removed = site.play("playbooks/uninstall.yml")
    return Story(
        name=name,
        before=before,
        checked=checked,
        after_check=after_check,
        installed=installed,
        pods=pods,
        home=files,
        described=described,
        status=status,
        foreign=foreign,
        unchecked=unchecked,
        removed=removed,
    )


def _pods(api: Api, namespace: str) -> dict[str, str]:
    """Try the pod of each Deployment, without making it."""
    said = {}
    for one in api.list_all(f"/apis/apps/v1/namespaces/{namespace}/deployments", ""):
        name, template = one["metadata"]["name"], one["spec"]["template"]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": "tried", "namespace": namespace},
            "spec": template["spec"],
        }
        answer = api._client.post(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", json=pod)
        said[f"{namespace}/{name}"] = "" if answer.is_success else answer.json()["message"]
    return said


def _status(home: Path, kubeconfig: str) -> dict[str, t.Any]:
    program = Path(sys.executable).with_name("inferencebox")
    done = subprocess.run(
        [str(program), "--home", str(home), "status", "--json"],
        env={**os.environ, "KUBECONFIG": kubeconfig},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


def _foreign_issuer(api: Api, kubeconfig: str, name: str) -> list[str]:
    others = Platform(random_name(), kubeconfig)
    issuer: Object = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "theirs", "namespace": others.namespace},
        "spec": {"selfSigned": {}},
    }
    report = others.apply([others.space(), issuer])
    assert not report.problem, report.problem
    platform = load_inventory(str(_ROOT / "inventories/existing"))
    row = next(one for one in components.removable(platform) if one["name"] == "cert-manager")
    users = removal.standing(api, name, removal.Component(**row)).users
    report = others.apply([], prune=True, wait_timeout=300)
    assert not report.problem, report.problem
    return [user.replace(others.namespace, "theirs") for user in users]


def test_check_mode_goes_through_an_empty_cluster_and_changes_nothing(story: Story) -> None:
    assert story.after_check == story.before
    assert story.checked.statuses.keys() == {"created"}


def test_check_mode_says_what_the_install_does(story: Story) -> None:
    assert story.checked.steps == story.installed.steps


def test_every_object_is_there(story: Story) -> None:
    assert story.installed.statuses.keys() == {"created"}
    made = {name for step in story.installed.steps for name, _ in step.objects}
    rendered = kubernetes.objects(load_inventory(str(_ROOT / "inventories/existing")))
    assert len(made) > len(rendered)


def test_pods_are_taken_where_pod_security_is_restricted(story: Story) -> None:
    assert {"inferencebox-system/tier2", "envoy-gateway-system/valkey"} <= story.pods.keys()
    assert {name: said for name, said in story.pods.items() if said} == {}


def test_the_platform_describes_itself(story: Story) -> None:
    assert story.described.target == "kubernetes"
    assert story.described.connect_to == "gateway.inference.example.org:30443"
    assert set(story.described.tenants) == {"tenant-a", "tenant-b", "tenant-c"}
    assert set(story.described.models) == {"iris", "wine", "smollm2"}
    assert "state/inventory.json" in story.home


def test_status_says_what_is_not_ready(story: Story) -> None:
    assert story.status["healthy"] is False
    models = {row["name"]: row for row in story.status["models"]}
    assert set(models) == {"iris", "wine", "smollm2"}
    assert all("controller" in row["reason"] for row in models.values())


def test_what_somebody_else_uses_is_named(story: Story) -> None:
    assert story.foreign == ["Issuer theirs/theirs"]


def test_check_mode_says_what_the_uninstall_does(story: Story) -> None:
    assert [(s.task, s.item) for s in story.unchecked.changed] == [
        (s.task, s.item) for s in story.removed.changed
    ]
