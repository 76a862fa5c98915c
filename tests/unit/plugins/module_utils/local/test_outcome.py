# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which replicas get requests, and what is said of those that do not answer."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.local.layout import Host
from ansible_collections.inferencebox.platform.plugins.module_utils.local.plan import LocalPlan

_LATE = "not ready after 60 s"


@pytest.fixture
def plan() -> LocalPlan:
    """A platform with two models of one tenant."""
    serving = {"replicas": {"min": 2, "max": 2}, "start_timeout": "1500ms"}
    model = {"tenant": "tenant-a", "framework": "sklearn", "source": "python://p/m"}
    platform = load(
        {
            "platform_name": "demo",
            "platform_target": "local",
            "platform_home": "/srv/demo",
            "tenants": [{"name": "tenant-a", "models": {"allow": ["one", "two"]}}],
            "models": [
                {**model, "name": "one", "serving": serving},
                {**model, "name": "two", "serving": {"resources": {"memory": "1Gi"}}},
            ],
        }
    )
    return LocalPlan(platform, Host(root=False, user="u", group="g", cpus=1, envoy="/envoy"))


def _planned(plan: LocalPlan) -> dict[str, t.Any]:
    return plan.replicas({name: {"path": f"/{name}", "digest": "1"} for name in ("one", "two")})


def _outcome(plan: LocalPlan, failed: t.Mapping[str, str], running: t.Sequence[str] = ()) -> t.Any:
    return plan.outcome(_planned(plan)["rows"], failed, {}, running)


def _ids(plan: LocalPlan, model: str) -> list[str]:
    return [row["id"] for row in _planned(plan)["rows"] if row["model"] == model]


def _sockets(plan: LocalPlan, model: str) -> list[str]:
    return [row["socket"] for row in _planned(plan)["rows"] if row["model"] == model]


def test_all_replicas_of_models_that_answer_are_asked(plan: LocalPlan) -> None:
    outcome = _outcome(plan, {})
    assert outcome["failures"] == {}
    assert outcome["live"] == {name: _sockets(plan, name) for name in ("one", "two")}
    assert outcome["states"]["one"] == {"ready": True, "replicas": 2, "reason": None}


def test_a_late_replica_is_found_when_it_answers(plan: LocalPlan) -> None:
    outcome = _outcome(plan, {_ids(plan, "one")[0]: _LATE, _ids(plan, "two")[0]: _LATE})
    assert outcome["live"] == {name: _sockets(plan, name) for name in ("one", "two")}
    assert outcome["states"]["one"] == {"ready": True, "replicas": 1, "reason": _LATE}
    assert outcome["states"]["two"] == {"ready": False, "replicas": 0, "reason": _LATE}
    assert outcome["healthy"]["replicas"] == {"one": _sockets(plan, "one")[1:]}
    assert outcome["summary"] == f"  - one: {_LATE}\n  - two: {_LATE}"


def test_what_ran_before_goes_on_until_a_successor_answers(plan: LocalPlan) -> None:
    older = ["model.tenant-a.one.00000000.0", "model.tenant-a.two.00000000.0"]
    one, _ = _ids(plan, "one")
    (two,) = _ids(plan, "two")
    outcome = _outcome(plan, {one: "broken", two: "broken"}, [*older, one, two])
    assert outcome["live"] == {"one": _sockets(plan, "one")}, "one of two answers"
    assert outcome["failures"] == {"one": "broken", "two": "broken; what ran before goes on"}
    assert outcome["keep"] == ["model.tenant-a.one.", "model.tenant-a.two."]


def test_a_model_that_was_not_fetched_leaves_its_endpoints_as_they_are(plan: LocalPlan) -> None:
    outcome = plan.outcome([], {}, {"one": "no such file"})
    assert outcome["live"] == {}
    assert outcome["states"]["one"]["reason"] == "no such file"


def test_a_start_counts_when_it_lasted_as_long_as_one_may_take(plan: LocalPlan) -> None:
    one, _, two = _planned(plan)["programs"]
    assert (one["start_seconds"], two["start_seconds"]) == (2, 60)
    assert 1 < one["start_tries"] < 100
    bounds = [wait["bounds"] for wait in _planned(plan)["waits"]]
    assert bounds == ["", "", "serving.resources.memory allows 1024 MiB"]
