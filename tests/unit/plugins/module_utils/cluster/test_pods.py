# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what is said of pods is of now, on a clock of the tests' own."""

from __future__ import annotations

import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import pods

from .fake_server import Server

Pod = dict[str, t.Any]


def pod(name: str, *running: str, node: str = "here", state: str = "running") -> Pod:
    statuses = [{"containerID": f"containerd://{one}", "state": {state: {}}} for one in running]
    return {
        "metadata": {"namespace": "n", "name": name},
        "spec": {"nodeName": node},
        "status": {"containerStatuses": statuses[:1], "initContainerStatuses": statuses[1:]},
    }


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (pod("a", "1"), []),
        (pod("a", "1", "2"), []),
        (pod("a", "9"), ["n/a"]),
        (pod("a", "1", "9"), ["n/a"]),
        (pod("a", "9", node="elsewhere"), []),
        (pod("a", "9", state="terminated"), []),
        (pod("a"), []),
        ({"metadata": {"namespace": "n", "name": "a"}, "spec": {}}, []),
    ],
)
def test_a_container_that_is_said_to_run_and_does_not(one: Pod, found: list[str]) -> None:
    assert pods.outdated([one], "here", {"1", "2"}) == found


def wait(answers: list[list[Pod]], timeout: float) -> tuple[list[str], float]:
    left, seconds = iter(answers), [0.0]
    server = Server(lambda _: httpx.Response(200, json={"items": next(left, answers[-1])}))

    def sleep(more: float) -> None:
        seconds[0] += more

    found = pods.until_current(
        server.api, "here", lambda: {"1"}, timeout, lambda: seconds[0], sleep
    )
    return found, seconds[0]


def test_it_waits_until_each_pod_was_looked_at_again() -> None:
    before, after = [pod("a", "8"), pod("b", "9")], [pod("a", "1"), pod("b")]
    found, seconds = wait([before, [pod("a", "1"), pod("b", "9")], after], timeout=60)
    assert (found, seconds > 0) == ([], True)


def test_the_time_ends_with_those_that_were_not() -> None:
    found, seconds = wait([[pod("b", "9"), pod("a", "1")]], timeout=5)
    assert found == ["n/b"]
    assert seconds == pytest.approx(5)


def test_nothing_to_wait_for_takes_no_time() -> None:
    assert wait([[]], timeout=60) == ([], 0.0)
