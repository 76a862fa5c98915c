# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What upstream accepts and then ignores, or does otherwise than it reads: found in objects, before a cluster.

An API server checks a schema, and a controller reports what it cannot do. Between the two lies what is right
in form and has no effect: a policy whose target has another name, a limit on a header that anybody can send, a
canary in a mode without one. Each rule here comes from upstream's own code or from a measurement.

objects    how rules see objects          policies    what policies do not do
routes     who answers, and to whom       serving     models      names    what shortening does
"""

from __future__ import annotations

from collections.abc import Iterable

from ..objects import Object
from . import names, policies, routes, serving
from .objects import Finding, Objects, Rule

RULES: tuple[Rule, ...] = (*policies.RULES, *routes.RULES, *serving.RULES, *names.RULES)


def lint(objects: Iterable[Object]) -> list[Finding]:
    """Look for what has no effect.

    Args:
        objects: Everything that is applied together. What they refer to and what is not among them counts as
            missing, Secrets and ConfigMaps excepted.

    Returns:
        Findings, rule by rule.
    """
    seen = Objects(objects)
    return [finding for rule in RULES for finding in rule(seen)]


__all__ = ["RULES", "Finding", "Objects", "Rule", "lint"]
