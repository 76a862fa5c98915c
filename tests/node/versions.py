# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model that gets other versions, and how often each of them answers."""

from __future__ import annotations

import copy
import dataclasses
import math
import typing as t
from collections import Counter

import httpx2

from tests.behaviour.client import Caller
from tests.behaviour.platform_json import Platform
from tests.behaviour.requests_table import v2_input
from tests.node.own_node import OwnNode
from tests.node.traffic import Traffic

# Of many runs, fewer than one in a million fails by chance.
LEAST_LIKELY = 1e-6
_AFTER = 20
_MODEL = "iris"
_SOURCE = "python://inferencebox_samples/iris"


@dataclasses.dataclass(frozen=True)
class Versions:
    """The model, which gets other versions."""

    node: OwnNode
    platform: Platform
    token: str

    def become(self, version: str, *others: str, **traffic: t.Any) -> Counter[str]:
        """Bring the platform to an inventory in which the model has these versions, while callers ask all the time.

        Args:
            version: The stable one.
            others: Those that `traffic` names.
            traffic: Keys of `traffic`.

        Returns:
            What callers were answered, before, meanwhile and after, by version.
        """
        with Traffic(self.platform, self.token, ask, version_of) as asked:
            self._become(version, others, traffic)
            asked.go_on_for(_AFTER)
        return asked.answers

    def _become(
        self, version: str, others: t.Sequence[str], traffic: t.Mapping[str, t.Any]
    ) -> None:
        variables = copy.deepcopy(dict(self.node.variables))
        (model,) = (one for one in variables["models"] if one["name"] == _MODEL)
        # Three versions and their successors side by side have to find room on two cores.
        model["serving"]["resources"]["cpu"] = "100m"
        model["version"] = version
        model["versions"] = [{"version": one, "source": _SOURCE} for one in others]
        model["traffic"] = traffic
        dataclasses.replace(self.node, variables=variables).play("site.yml")

    def answers(self, times: int, **headers: str) -> Counter[str]:
        """Ask, and count answers by version."""
        with Caller(self.platform, self.token) as caller:
            return Counter(version_of(ask(caller, **headers)) for _ in range(times))


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
