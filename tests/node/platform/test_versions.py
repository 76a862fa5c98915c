# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A new version of a model, from a canary to its promotion or its end, while callers ask all the time."""

from __future__ import annotations

import copy
import dataclasses
import math
import re
import typing as t
from collections import Counter

import httpx2
import pytest

from tests.behaviour.client import Caller
from tests.behaviour.platform_json import Platform
from tests.behaviour.requests_table import v2_input
from tests.node import machine
from tests.node.own_node import OwnNode
from tests.node.platform.traffic import Traffic

_TENANT, _MODEL = "tenant-a", "iris"
_REQUESTS, _AFTER = 300, 20
# Of many runs, fewer than one in a million fails by chance.
_LEAST_LIKELY = 1e-6
_COHORT = "x-cohort"
_COHORTS, _TIMES = 60, 3
_SOURCE = "python://inferencebox_samples/iris"
_METRICS = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8080/metrics", timeout=10).read().decode())
"""

pytestmark = [machine.needed, pytest.mark.proves("L4", "models", "tier2")]


@dataclasses.dataclass(frozen=True)
class Versions:
    """The model, which gets other versions."""

    node: OwnNode
    platform: Platform
    token: str

    def become(self, version: str, *others: str, **traffic: t.Any) -> None:
        """Bring the platform to an inventory in which the model has these versions.

        Args:
            version: The stable one.
            others: Those that `traffic` names.
            traffic: Keys of `traffic`.
        """
        variables = copy.deepcopy(dict(self.node.variables))
        (model,) = (one for one in variables["models"] if one["name"] == _MODEL)
        # Three versions and their successors side by side have to find room on two cores.
        model["serving"]["resources"]["cpu"] = "100m"
        model["version"] = version
        model["versions"] = [{"version": one, "source": _SOURCE} for one in others]
        model["traffic"] = traffic
        dataclasses.replace(self.node, variables=variables).play("site.yml")

    def asking(self) -> Traffic:
        """Ask all the time, and tell answers apart by version."""
        return Traffic(self.platform, self.token, ask, version_of)

    def answers(self, times: int, **headers: str) -> Counter[str]:
        """Ask, and count answers by version."""
        with Caller(self.platform, self.token) as caller:
            return Counter(version_of(ask(caller, **headers)) for _ in range(times))

    def copies(self) -> int:
        """Requests that the model server of the mirror has counted."""
        pod = ("deployment/iris-mirror-predictor", "--container=kserve-container")
        done = self.node.kubectl(
            f"--namespace={_TENANT}", "exec", *pod, "--", "python", "-c", _METRICS
        )
        assert done.returncode == 0, done.stderr
        lines = re.findall(r"^inferencebox_requests_total\{.*\} (\S+)$", done.stdout, re.MULTILINE)
        return sum(int(float(count)) for count in lines)


def ask(caller: Caller, **headers: str) -> httpx2.Response:
    """Ask the model by KServe's V2, whose answers name the version."""
    body = {"inputs": [v2_input([[5.1, 3.5, 1.4, 0.2]])]}
    return caller.post(f"/v2/models/{_MODEL}/infer", body, headers=tuple(headers.items()))


def version_of(answer: httpx2.Response) -> str:
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.text}"
    return str(answer.json()["model_version"])


def chance(hits: int, of: int, share: float) -> float:
    """How likely a count is that differs from what is expected at least as much (exact binomial test, both sides)."""

    def likely(count: int) -> float:
        return math.comb(of, count) * share**count * (1 - share) ** (of - count)

    # As likely as the count itself, but for what rounding makes of it.
    bound = likely(hits) * (1 + 1e-9)
    return sum(each for count in range(of + 1) if (each := likely(count)) <= bound)


@pytest.fixture(scope="module")
def versions(
    installed: OwnNode, platform: Platform, tokens: dict[str, str]
) -> t.Iterator[Versions]:
    yield Versions(installed, platform, tokens[_TENANT])
    # The platform is everybody's.
    installed.play("site.yml")


def test_a_canary_gets_its_share_and_its_start_fails_nobody(versions: Versions) -> None:
    with versions.asking() as traffic:
        versions.become("1", "2", canary={"version": "2", "weight": 20})
        traffic.go_on_for(_AFTER)
    assert traffic.answers.keys() == {"1", "2"}, traffic.answers
    found = versions.answers(_REQUESTS)
    assert found.total() == found["1"] + found["2"], found
    assert chance(found["2"], _REQUESTS, 0.2) > _LEAST_LIKELY, found


def test_a_cohort_meets_one_version_and_a_mirror_gets_copies(versions: Versions) -> None:
    canary = {"version": "2", "weight": 50, "cohort_header": _COHORT}
    with versions.asking() as traffic:
        versions.become("1", "2", "3", canary=canary, mirror="3")
        traffic.go_on_for(_AFTER)
    assert traffic.answers.keys() == {"1", "2"}, traffic.answers
    before = versions.copies()
    met = [versions.answers(_TIMES, **{_COHORT: f"person-{n}"}) for n in range(_COHORTS)]
    assert all(len(found) == 1 for found in met), met
    hits = sum("2" in found for found in met)
    assert chance(hits, _COHORTS, 0.5) > _LEAST_LIKELY, met
    # Nobody waits for copies, so that the last of them may still be on their way.
    assert versions.copies() - before >= _COHORTS * (_TIMES - 1)


def test_a_canary_that_is_taken_back_leaves_no_request_behind(versions: Versions) -> None:
    with versions.asking() as traffic:
        versions.become("1")
        traffic.go_on_for(_AFTER)
    assert traffic.answers.keys() <= {"1", "2"}, traffic.answers
    assert versions.answers(_AFTER).keys() == {"1"}


def test_a_canary_gets_everything_and_is_promoted(versions: Versions) -> None:
    with versions.asking() as traffic:
        versions.become("1", "2", canary={"version": "2", "weight": 100})
        traffic.go_on_for(_AFTER)
    assert traffic.answers.keys() <= {"1", "2"}, traffic.answers
    assert versions.answers(_AFTER).keys() == {"2"}
    with versions.asking() as traffic:
        versions.become("2")
        traffic.go_on_for(_AFTER)
    # The old version answers nobody any more, not even for a moment.
    assert traffic.answers.keys() == {"2"}, traffic.answers
