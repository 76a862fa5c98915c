# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What running pods take over is brought to each of them, until it says that it is in force."""

from __future__ import annotations

import typing as t

import httpx
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import reloading
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import (
    DIGEST,
    Key,
    Wanted,
)

from .clock import Clock
from .fake_server import Server, body, status

_CONFIG = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)


def wanted(**annotations: str) -> Wanted:
    metadata = {"name": "tier1", "namespace": "n", "annotations": annotations}
    return Wanted(Key("", "ConfigMap", "n", "tier1"), _CONFIG, {"metadata": metadata})


LIVE = wanted(**{reloading.READ_BY: "app=tier1/place", DIGEST: "new"})


class Pods:
    """Pods that say the new digest when they were looked at so often since it was brought to them."""

    def __init__(self, **looks: int) -> None:
        self.looks = looks
        self.brought: list[str] = []
        self.server = Server(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        name = path.removesuffix("/log").rpartition("/")[2]
        if request.method == "PATCH":
            self.brought.append(name)
            assert body(request)["metadata"]["annotations"][DIGEST].startswith("new-")
            return httpx.Response(200, json={})
        if path.endswith("/log"):
            assert request.url.params["container"] == "place"
            if name in self.brought:
                self.looks[name] -= 1
            said = "in force: old\n" + ("in force: new\n" if self.looks[name] <= 0 else "")
            return httpx.Response(200, text=said + "something else\n")
        assert request.url.params["labelSelector"] == "app=tier1"
        ended = {"name": "ended", "deletionTimestamp": "2026-01-01T00:00:00Z"}
        items = [pod(name) for name in self.looks]
        return httpx.Response(200, json={"items": [*items, {**pod("ended"), "metadata": ended}]})


def pod(name: str) -> dict[str, t.Any]:
    return {"metadata": {"name": name}, "status": {"phase": "Running"}}


def until_read(server: Server, *objects: Wanted, timeout: float = 60) -> list[str]:
    clock = Clock()
    return reloading.until_read(server.api, objects, timeout, clock.now, clock.sleep)


def test_what_is_in_force_is_brought_to_nobody() -> None:
    pods = Pods(one=0, two=0)
    assert until_read(pods.server, LIVE) == []
    assert pods.brought == []


def test_it_is_brought_again_until_each_pod_says_so() -> None:
    pods = Pods(one=3, two=20)
    assert until_read(pods.server, LIVE) == []
    assert pods.brought == ["one", "two", "two"]


def test_a_pod_that_never_says_so_is_named() -> None:
    pods = Pods(one=1000)
    (problem,) = until_read(pods.server, LIVE)
    assert "pod one" in problem


def test_other_objects_are_read_by_nobody() -> None:
    server = Server(lambda _: status(500, "not asked"))
    assert until_read(server, wanted()) == []
    assert server.requests == []


def test_who_may_not_read_logs_believes_the_pods() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/log"):
            return status(403, "pods/log is forbidden")
        return httpx.Response(200, json={"items": [pod("one")]})

    assert until_read(Server(answer), LIVE) == []
