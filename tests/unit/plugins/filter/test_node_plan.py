# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter as Ansible calls it: through a template, with lazy containers and tagged scalars."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.inferencebox.platform.plugins.filter import node_plan
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars

from ..module_utils.inventory.sample import changed
from ..module_utils.node.test_plan import HOST, NODE


def render(part: str, **more: Any) -> Any:
    """Render the filter in an expression whose arguments are variables."""
    platform = to_vars(load(changed(NODE)))
    # A template inside, as an inventory may hold it.
    given = {
        "platform": {**platform, "platform_home": trust_as_template("{{ place }}")},
        "host": asdict(HOST),
        "place": "/srv/demo",
        "part": part,
        **more,
    }
    templar = Templar(loader=DataLoader(), variables=given)
    expression = "{{ platform | inferencebox.platform.node_plan(part, host=host) }}"
    return templar.template(trust_as_template(expression))


@pytest.mark.parametrize("part", node_plan.PARTS)
def test_every_part_is_data_that_modules_take(part: str) -> None:
    found = render(part)
    assert found
    json.dumps(found)
    assert "{{" not in str(found)


def test_a_part_that_there_is_not() -> None:
    with pytest.raises(AnsibleError, match="no part 'prts'; its parts are needs, directories"):
        render("prts")


def test_a_part_without_the_facts_that_it_needs() -> None:
    with pytest.raises(AnsibleError, match="what was found on the machine"):
        render("files", host=None)
