# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is read of a node, and how its tables are put together."""

from __future__ import annotations

import typing as t

import pytest

from bench import page
from bench.node import memory, roles

Json = dict[str, t.Any]


def test_a_play_lasts_until_the_next_one_begins() -> None:
    marks = [("Create tenants", 10.0), ("Serve models", 12.04), ("RECAP", 20.0)]
    assert roles.spans(marks) == {"Create tenants": 2.0, "Serve models": 8.0}


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        (
            {
                "name": "iris-predictor-57bb9dc755-f4hlp",
                "labels": {"pod-template-hash": "57bb9dc755"},
                "ownerReferences": [{"name": "iris-predictor-57bb9dc755"}],
            },
            "iris-predictor",
        ),
        (
            {"name": "istio-cni-node-abcde", "ownerReferences": [{"name": "istio-cni-node"}]},
            "istio-cni-node",
        ),
        ({"name": "alone"}, "alone"),
    ],
)
def test_a_pod_is_named_by_what_it_belongs_to(metadata: Json, name: str) -> None:
    assert memory.workload({"metadata": metadata}) == name


def test_a_pod_takes_what_its_containers_take() -> None:
    containers = [
        {"name": name, "memory": {"workingSetBytes": size, "rssBytes": size // 2}}
        for name, size in (("kserve-container", 200), ("istio-proxy", 30))
    ]
    summary = {"podRef": {"namespace": "tenant-a"}, "containers": containers}
    assert memory.row(summary, "iris-predictor") == {
        "namespace": "tenant-a",
        "workload": "iris-predictor",
        "containers": 2,
        "working_set": 230,
        "rss": 115,
        "sidecar": 30,
    }
    gateway = {**summary, "containers": containers[1:]}
    assert memory.row(gateway, "tier2")["sidecar"] == 0


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/bundle/programs/kube-apiserver --etcd-servers=a", "kube-apiserver"),
        ("/home/runtime/bin/python /home/runtime/bin/supervisord -c x.ini", "supervisord"),
        ("/usr/bin/python3.11 -u -m inferencebox.guardian --home x", "inferencebox.guardian"),
    ],
)
def test_a_program_is_named_by_what_is_started(command: str, name: str) -> None:
    assert memory.program(command.split(" ")) == name


def test_tables_of_a_node_name_every_part_and_its_sum() -> None:
    measured = {"quick": True, "date": "2026-01-01", "commit": "abc", "cores": 2, "cpu": "some"}
    measured |= {"memory_gib": 8, "system": "some", "kernel": "6", "load_before": 0.1}
    pod = {"namespace": "a", "containers": 2, "rss": 2**20, "sidecar": 2**20}
    columns = {"p50_ms": [1.0], "p99_ms": [2.0], "rps": [100.0], "answers": 9, "failed": 0}
    results: Json = {
        "measured": measured,
        "roles": [
            {"run": run, "seconds": 9.0, "plays": {"Create tenants": 2.0}}
            for run in ("first", "second")
        ],
        "pods": [{**pod, "workload": name, "working_set": 4 * 2**20} for name in ("one", "two")],
        "programs": [{"name": "etcd", "processes": 1, "pss": 1024, "rss": 2048}],
        "closed": [
            {"request": "v2", "connections": 1, "way": way, **columns} for way in ("direct", "both")
        ],
    }
    names = [name for name in page.TABLES if name.startswith("node_")]
    places = "".join(f"<!-- bench: {name} -->\n<!-- /bench -->\n" for name in names)
    text = page.render(places, {"node": results})
    for line in (
        "| Create tenants | 2.0 | 2.0 |",
        "| a/two | 4 | 1 | 1 |",
        "| **all pods** | **8** | **2** | **2** |",
        "| **all of the node's own** | **1** | **2** |",
        "| iris, V2 | 1 | both tiers and the sidecar | 1.00 | +0.00 | 2.00 | +0.00 | 100 | 0 |",
    ):
        assert line in text, text
