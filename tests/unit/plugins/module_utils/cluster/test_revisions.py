# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether Knative serves a model as it is asked."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import revisions

Object = dict[str, t.Any]


def model(digest: str = "new", share: int | None = None) -> Object:
    shared = {} if share is None else {"canaryTrafficPercent": share}
    return {"spec": {"predictor": {**annotated(digest), **shared}}}


def annotated(digest: str) -> Object:
    return {"annotations": {"inferencebox.io/digest": digest}} if digest else {}


def service(
    digest: str = "new",
    *shares: int,
    ready: str = "True",
    generation: int = 3,
    newest: str = "iris-00002",
) -> Object:
    """Knative's, as KServe makes it: the newest revision gets the first share, one by name the other."""
    newest_share, *other = shares or (100,)
    traffic: list[Object] = [{"latestRevision": True, "percent": newest_share}]
    traffic += [{"revisionName": "iris-00001", "percent": share} for share in other]
    conditions = ("ConfigurationsReady", "RoutesReady", "Ready")
    return {
        "metadata": {"name": "iris-predictor", "generation": 3},
        "spec": {"template": {"metadata": annotated(digest)}, "traffic": traffic},
        "status": {
            "observedGeneration": generation,
            "conditions": [{"type": name, "status": ready} for name in conditions],
            "latestCreatedRevisionName": newest,
            "latestReadyRevisionName": "iris-00002",
        },
    }


UNCHANGED = "KServe has not changed Knative's Service to this version yet"
UNSHARED = "KServe has not changed the share of the newest revision yet"


@pytest.mark.parametrize(
    ("asked", "made", "reason"),
    [
        pytest.param(model(), service(), "", id="ready"),
        pytest.param(model(share=20), service("new", 20, 80), "", id="canary"),
        pytest.param(model(share=0), service("new", 0, 100), "", id="not-yet-shared"),
        # By a platform that wrote no digests.
        pytest.param(model(""), service(""), "", id="without-a-digest"),
        pytest.param(model(), service(""), UNCHANGED, id="before-digests"),
        pytest.param(model(), service("old"), UNCHANGED, id="before-its-revision"),
        pytest.param(model(share=20), service(), UNSHARED, id="before-its-share"),
        pytest.param(model(), service("new", 20, 80), UNSHARED, id="before-its-promotion"),
        pytest.param(
            model(),
            service(generation=2),
            "its controller has not seen this version yet",
            id="unseen",
        ),
        pytest.param(
            model(), service(ready="Unknown"), "ConfigurationsReady=Unknown", id="starting"
        ),
        pytest.param(
            model(), service(newest="iris-00003"), "iris-00003 is not ready", id="next-not-ready"
        ),
    ],
)
def test_a_model_is_as_new_as_knatives_service(asked: Object, made: Object, reason: str) -> None:
    assert revisions.unready(asked, [made]) == reason


def test_who_may_not_read_them_believes_the_model() -> None:
    assert revisions.unready(model(), []) == ""
