# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A new version of a model, from a canary to its promotion or its end, while callers ask all the time."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.own_node import OwnNode
from tests.node.versions import LEAST_LIKELY, Versions, chance

_TENANT = "tenant-a"
_REQUESTS, _AFTER = 300, 20
_COHORT = "x-cohort"
_COHORTS, _TIMES = 60, 3
_METRICS = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8080/metrics", timeout=10).read().decode())
"""

pytestmark = [machine.needed, pytest.mark.proves("L4", "models", "tier2")]


def copies(node: OwnNode) -> int:
    """Requests that the model server of the mirror has counted."""
    pod = ("deployment/iris-mirror-predictor", "--container=kserve-container")
    done = node.kubectl(f"--namespace={_TENANT}", "exec", *pod, "--", "python", "-c", _METRICS)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^inferencebox_requests_total\{.*\} (\S+)$", done.stdout, re.MULTILINE)
    return sum(int(float(count)) for count in lines)


@pytest.fixture(scope="module")
def versions(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> t.Iterator[Versions]:
    yield Versions(installed, platform, tokens[_TENANT])
    # The platform is everybody's.
    installed.play("site.yml")


def test_a_canary_gets_its_share_and_its_start_fails_nobody(versions: Versions) -> None:
    answers = versions.become("1", "2", canary={"version": "2", "weight": 20})
    assert answers.keys() == {"1", "2"}, answers
    found = versions.answers(_REQUESTS)
    assert found.total() == found["1"] + found["2"], found
    assert chance(found["2"], _REQUESTS, 0.2) > LEAST_LIKELY, found


def test_a_cohort_meets_one_version_and_a_mirror_gets_copies(versions: Versions) -> None:
    canary = {"version": "2", "weight": 50, "cohort_header": _COHORT}
    answers = versions.become("1", "2", "3", canary=canary, mirror="3")
    assert answers.keys() == {"1", "2"}, answers
    before = copies(versions.node)
    met = [versions.answers(_TIMES, **{_COHORT: f"person-{n}"}) for n in range(_COHORTS)]
    assert all(len(found) == 1 for found in met), met
    hits = sum("2" in found for found in met)
    assert chance(hits, _COHORTS, 0.5) > LEAST_LIKELY, met
    # Nobody waits for copies, so that the last of them may still be on their way.
    assert copies(versions.node) - before >= _COHORTS * (_TIMES - 1)


def test_a_canary_that_is_taken_back_leaves_no_request_behind(versions: Versions) -> None:
    answers = versions.become("1")
    assert answers.keys() <= {"1", "2"}, answers
    assert versions.answers(_AFTER).keys() == {"1"}


def test_a_canary_gets_everything_and_is_promoted(versions: Versions) -> None:
    answers = versions.become("1", "2", canary={"version": "2", "weight": 100})
    assert answers.keys() <= {"1", "2"}, answers
    assert versions.answers(_AFTER).keys() == {"2"}
    answers = versions.become("2")
    # The old version answers nobody any more, not even for a moment.
    assert answers.keys() == {"2"}, answers
