# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a node: what nobody may reach, who may do what, and that its parts fit together."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import train
from ansible_collections.inferencebox.platform.plugins.module_utils.host import node_releases
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.node import programs
from ansible_collections.inferencebox.platform.plugins.module_utils.node.layout import (
    Host,
    Layout,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.node.plan import NodePlan

from ..inventory.sample import changed

NODE = {
    "platform_target": "kubernetes",
    "platform_home": "/srv/demo",
    "platform_bundle": "/srv/bundle",
    "platform_gateway.https_port": 30443,
    "platform_cluster": {"provider": "node", "service_type": "NodePort"},
}
NAMES = (*programs.KUBERNETES, *programs.RUNTIME, *programs.KERNEL)
HOST = Host(
    programs={name: f"/opt/node/{name}" for name in NAMES},
    plugins="/usr/lib/cni",
    stamps=dict.fromkeys(NAMES, "1"),
    releases=dict.fromkeys(node_releases.PARTS, "v1.2.3"),
    last_releases=dict.fromkeys(node_releases.PARTS, "v1.1.9"),
    lowers_oom_scores=True,
)


def plan(**changes: Any) -> NodePlan:
    return NodePlan(load(changed({**NODE, **changes})), HOST)


def files() -> dict[str, str]:
    return {row["path"]: row["content"] for row in plan().files()}


def arguments(name: str) -> dict[str, str]:
    rows = [*plan().servers()["programs"], *plan().clients()["programs"]]
    (words,) = (row["command"] for row in rows if row["name"] == name)
    return dict(word.removeprefix("--").split("=", 1) for word in words[3:])


def test_the_api_servers_release_is_kept_before_that_of_the_others() -> None:
    """Whatever becomes of them, it has written to the store."""
    planned = plan().releases()
    assert (planned["before"], planned["now"]) == ("v1.1.9", "v1.2.3")
    kept = {when: json.loads(planned[when]["content"]) for when in ("served", "run")}
    assert kept["run"] == HOST.releases
    assert kept["served"] == {**HOST.last_releases, "kube-apiserver": "v1.2.3"}
    path = str(node_releases.record_of("/srv/demo/node"))
    assert planned["served"]["path"] == planned["run"]["path"] == path


def test_the_kubernetes_that_an_inventory_names_is_built_and_wanted() -> None:
    names = train(plan().needs()["kubernetes"]["train"]).node_kubernetes
    assert plan().tool() == next(iter(names.values()))
    for minor, tool in names.items():
        asked = plan(**{"platform_cluster.node.kubernetes": minor})
        assert asked.tool() == tool
        assert asked.needs()["kubernetes"]["wanted"] == minor


def test_every_program_runs_in_the_nodes_own_network() -> None:
    rows = [*plan().servers()["programs"], *plan().clients()["programs"]]
    assert {row["name"] for row in rows} == {*programs.KUBERNETES, "containerd"}
    for row in rows:
        expected = ["/opt/node/nsenter", "--net=/srv/demo/node/run/network"]
        assert row["command"][:3] == [*expected, f"/opt/node/{row['name']}"]


@pytest.mark.parametrize("name", ["kube-controller-manager", "kube-scheduler"])
def test_what_nobody_asks_from_outside_listens_on_loopback(name: str) -> None:
    assert arguments(name)["bind-address"] == "127.0.0.1"


def test_the_store_wants_a_certificate_of_everybody() -> None:
    given = arguments("etcd")
    assert given["client-cert-auth"] == given["peer-client-cert-auth"] == "true"
    assert all(url.startswith("https://127.0.0.1:") for key, url in given.items() if "url" in key)


def test_without_an_identity_only_health_is_told() -> None:
    anonymous = json.loads(files()["/srv/demo/node/etc/authentication.json"])["anonymous"]
    assert anonymous == {"enabled": True, "conditions": [{"path": "/livez"}, {"path": "/readyz"}]}
    kubelet = json.loads(files()["/srv/demo/node/etc/kubelet.json"])
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert (kubelet["readOnlyPort"], kubelet["authorization"]) == (0, {"mode": "Webhook"})


def test_each_authority_vouches_for_its_own() -> None:
    issued = {
        row["authority"]["common_name"]: {one["name"] for one in row["certificates"]}
        for row in plan().authorities()
    }
    assert issued["demo etcd-ca"] == {"etcd", "kube-apiserver-etcd-client"}
    assert issued["demo front-proxy-ca"] == {"front-proxy-client"}
    administrators = {
        one["name"]
        for row in plan().authorities()
        for one in row["certificates"]
        if one.get("organization") == "system:masters"
    }
    assert administrators == {"admin", "kube-apiserver-kubelet-client"}


def test_every_certificate_that_is_used_is_issued() -> None:
    issued = {one["path"] for row in plan().authorities() for one in row["certificates"]}
    issued |= {row["authority"]["certificate"][: -len(".crt")] for row in plan().authorities()}
    rows = [*plan().servers()["programs"], *plan().clients()["programs"]]
    texts = [*files().values(), *(word for row in rows for word in row["command"])]
    texts += [path for row in rows for path in row["reads"]]
    texts.append(json.dumps(plan().kubeconfig()))
    used = {
        word.rpartition("=")[2][: -len(".crt")]
        for text in texts
        for word in text.replace('"', " ").replace(",", " ").split()
        if word.endswith((".crt", ".key"))
    }
    assert used
    assert used <= issued


def test_addresses_follow_the_inventory() -> None:
    given = plan(
        **{
            "platform_cluster.node": {
                "network": "192.168.9.0/29",
                "pod_network": "172.20.0.0/20",
                "service_network": "172.21.0.0/24",
            }
        }
    )
    machine = given.machine()
    assert machine["machine_address"] == "192.168.9.1/29"
    assert machine["node_address"] == "192.168.9.2/29"
    assert machine["bridge_address"] == "172.20.0.1/20"
    (service,) = (one for one in given.objects() if one["kind"] == "Service")
    assert service["spec"]["clusterIP"] == "172.21.0.10"
    servers = json.dumps(given.servers())
    assert "--advertise-address=192.168.9.2" in servers
    names = {
        name
        for row in given.authorities()
        for one in row["certificates"]
        for name in one["subject_alt_names"]
    }
    assert {"IP:192.168.9.2", "IP:172.21.0.1"} <= names


def test_the_link_has_a_name_that_the_kernel_takes_and_nobody_else_has() -> None:
    first = Layout(load(changed(NODE)))
    other = Layout(load(changed({**NODE, "platform_home": "/srv/other"})))
    assert first.link != other.link
    assert len(first.link) < 15  # the far end has one character more until it has moved


def test_containerd_reads_what_is_written() -> None:
    settings = tomllib.loads(files()["/srv/demo/node/etc/containerd.toml"])
    cri = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["cni"] == {
        "bin_dir": "/srv/demo/node/plugins",
        "conf_dir": "/srv/demo/node/etc/cni",
    }
    assert cri["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == "/opt/node/runc"
    assert cri["restrict_oom_score_adj"] is False
    assert settings["root"].startswith("/srv/demo/node/")
    assert settings["state"].startswith("/srv/demo/node/")


def test_another_build_of_a_program_restarts_it_alone() -> None:
    stamps = {**HOST.stamps, "kubelet": "2"}
    other = NodePlan(load(changed(NODE)), replace(HOST, stamps=stamps))
    before, after = plan().clients()["programs"], other.clients()["programs"]
    differing = [one["name"] for one, two in zip(before, after, strict=True) if one != two]
    assert differing == ["kubelet"]


def test_programs_are_looked_for_where_the_inventory_says() -> None:
    assert plan().needs()["directory"] == "/srv/bundle/programs"
    named = plan(**{"platform_cluster.node": {"programs": "/srv/programs"}})
    assert named.needs()["directory"] == "/srv/programs"
    assert named.images() == "/srv/bundle/images"


def test_pods_have_addresses_of_the_bridge() -> None:
    network = plan().pod_network()["plugins"][0]
    subnet = ipaddress.ip_network(network["ipam"]["ranges"][0][0]["subnet"])
    assert ipaddress.ip_interface(plan().machine()["bridge_address"]).network == subnet
    assert network["bridge"] == plan().machine()["bridge"]
    assert network["ipMasq"] is False


def test_a_part_that_speaks_of_programs_needs_to_know_them() -> None:
    unknown = NodePlan(load(changed(NODE)))
    assert unknown.machine() == plan().machine()
    with pytest.raises(ValueError, match="what was found on the machine"):
        unknown.files()


def test_every_model_is_asked_once_by_who_may_call_it() -> None:
    asked = plan().callers()
    assert asked["gateway"]["address"] == plan().machine()["node_address"].partition("/")[0]
    assert asked["gateway"]["port"] == 30443
    allowed = {row["name"]: row["models"]["allow"] for row in changed({})["tenants"]}
    models = {row["name"]: row for row in changed(NODE)["models"]}
    assert {row["model"] for row in asked["questions"]} == set(models)
    for row in asked["questions"]:
        name, owner = row["model"], models[row["model"]]["tenant"]
        assert {name, f"{owner}/{name}"} & set(allowed[row["tenant"]])


@pytest.mark.parametrize(
    "changes",
    [
        {"platform_cluster.service_type": "ClusterIP"},
        {"platform_cluster.wait": False},
    ],
)
def test_nobody_is_asked_where_that_cannot_be(changes: dict[str, Any]) -> None:
    assert plan(**changes).callers()["questions"] == []
