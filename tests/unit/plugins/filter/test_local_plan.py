# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter as Ansible calls it: through a template, with lazy containers and tagged scalars."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.inferencebox.platform.plugins.filter import local_plan
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import to_vars

from ..module_utils.local import sample
from ..module_utils.local.sample import HOSTS, NEEDS, plan

TIERS: dict[str, dict[str, Any]] = {
    "tier1": {
        "jwks": {"builtin": {"keys": [sample.JWK]}, "keys": {"keys": [sample.JWK]}},
        "authorities": {},
        "keys": sample.KEYS,
    },
    "tier2": {},
}


def render(part: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
    """Render the filter in an expression whose arguments are variables."""
    given = {
        # A template inside, as an inventory may hold it.
        "platform": variables or {**to_vars(plan().platform), "platform_home": HOME},
        "host": asdict(HOSTS["root"]),
        "needs": {**NEEDS, **TIERS}.get(part, {}),
        "place": "/srv/demo",
        "part": part,
        **more,
    }
    templar = Templar(loader=DataLoader(), variables=given)
    expression = "{{ platform | inferencebox.platform.local_plan(part, host=host, needs=needs) }}"
    return templar.template(trust_as_template(expression))


HOME = trust_as_template("{{ place }}")


@pytest.mark.parametrize("part", NEEDS)
def test_a_part_is_what_the_plan_says(part: str) -> None:
    assert render(part) == getattr(plan(), part)(**NEEDS[part])


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_plain_data(tier: str) -> None:
    made = render(tier)
    assert made == asdict(getattr(plan(), tier)(**TIERS[tier]))
    json.dumps(made)


def test_the_documentation_names_every_part() -> None:
    documented = yaml.safe_load(local_plan.DOCUMENTATION)["options"]["part"]["choices"]
    assert sorted(documented) == sorted(local_plan.PARTS)


@pytest.mark.parametrize(
    ("part", "more", "words"),
    [
        ("platform", {}, "no part 'platform'; its parts are "),
        ("spiffe", {"needs": {"tier": "tier1"}}, "no part 'spiffe'"),
        ("users", {"variables": {"platform_name": "demo"}}, "platform_target"),
        ("replicas", {"needs": {}}, "artifacts"),
    ],
)
def test_what_cannot_be_planned_is_refused(part: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleError, match=words):
        render(part, **more)
