# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of a model whose new version does not start: that it answers, and what is wrong."""

from __future__ import annotations

import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import state
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resource,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import Key

from .fake_server import Server

_MODEL = Key("serving.kserve.io", "InferenceService", "n", "iris")
_KIND = Resource(_MODEL.group, "v1beta1", _MODEL.kind, "inferenceservices", namespaced=True)
_NO_ROOM = "0/1 nodes are available: 1 Insufficient cpu."


def pod(name: str, **condition: str) -> dict[str, t.Any]:
    metadata = {"name": name, "labels": {"component": "predictor"}}
    return {"metadata": metadata, "status": {"conditions": [condition]}}


def row(updated: int, ready: str) -> dict[str, t.Any]:
    """A model of which KServe says that it is ready, and whose Deployment has two pods."""
    deployment = {
        "metadata": {"name": "iris-predictor", "generation": 1},
        "spec": {"replicas": 1},
        "status": {
            "observedGeneration": 1,
            "replicas": 2,
            "updatedReplicas": updated,
            "availableReplicas": int(ready == "True"),
        },
    }
    unscheduled = {"type": "PodScheduled", "reason": "Unschedulable", "message": _NO_ROOM}
    pods = [pod("old", type="Ready", status=ready), pod("new", status="False", **unscheduled)]

    def answer(request: httpx.Request) -> httpx.Response:
        of_pods = request.url.path.endswith("/pods")
        return httpx.Response(200, json={"items": pods if of_pods else [deployment]})

    live = {
        "metadata": {"name": "iris", "namespace": "n"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    return state._row(Server(answer).api, _MODEL, _KIND, live)


def test_a_model_that_is_as_wanted_lacks_nothing() -> None:
    found = row(updated=2, ready="True")
    assert (found["ready"], found["answers"], found["reason"]) == (True, True, "")


@pytest.mark.parametrize("ready", ["True", "False"])
def test_a_model_whose_new_version_does_not_start_says_why_and_whether_it_answers(
    ready: str,
) -> None:
    found = row(updated=1, ready=ready)
    answers = ready == "True"
    assert (found["ready"], found["answers"]) == (False, answers)
    assert found["reason"].startswith("an earlier version answers; ") == answers
    assert "1 of 2 replicas are of the new version" in found["reason"]
    assert _NO_ROOM in found["reason"]
