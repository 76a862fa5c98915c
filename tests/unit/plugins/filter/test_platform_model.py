# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter as Ansible calls it: through a template, with lazy containers and tagged scalars."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

VARIABLES: dict[str, Any] = {
    "platform_name": "demo",
    "platform_target": "local",
    "platform_home": trust_as_template("/srv/{{ platform_name }}"),
    "platform_gateway": {"https_port": trust_as_template("{{ 8000 + 443 }}")},
    "tenants": [
        {"name": trust_as_template("{{ team }}-a"), "models": {"allow": ["iris"]}},
    ],
    "models": [
        {
            "name": "iris",
            "tenant": trust_as_template("{{ team }}-a"),
            "framework": "sklearn",
            "source": "python://samples/iris",
        }
    ],
    "team": "tenant",
    # Not of the inventory: must not be templated, or this would fail.
    "broken": trust_as_template("{{ there_is_no_such_variable }}"),
}


def render(variables: dict[str, Any], arguments: str = "") -> Any:
    """Give all variables to the filter, as `vars` does in a play."""
    templar = Templar(loader=DataLoader(), variables={**variables, "everything": variables})
    expression = f"{{{{ everything | inferencebox.platform.platform_model{arguments} }}}}"
    return templar.template(trust_as_template(expression))


def test_templates_inside_are_rendered_and_defaults_filled_in() -> None:
    platform = render(VARIABLES)
    assert platform["platform_home"] == "/srv/demo"
    assert platform["platform_gateway"]["https_port"] == 8443
    assert platform["tenants"][0]["name"] == "tenant-a"
    assert platform["models"][0]["publish"]["apis"] == ["v1", "v2"]
    assert "team" not in platform


def test_its_output_goes_through_it_unchanged() -> None:
    once = render(VARIABLES)
    assert render(once) == once


def test_every_problem_is_in_the_message() -> None:
    wrong = {**VARIABLES, "platform_nam": "x", "platform_home": "here"}
    with pytest.raises(AnsibleError) as caught:
        render(wrong)
    text = str(caught.value)
    assert "the inventory has 2 problems" in text
    assert "platform_nam: is not a known key (found 'x'). Did you mean platform_name?" in text
    assert "platform_home: is not an absolute path (found 'here')" in text


def test_a_target_that_nothing_installs_yet_is_refused_on_request() -> None:
    cluster = {**VARIABLES, "platform_target": "kubernetes"}
    assert render(cluster)["platform_target"] == "kubernetes"
    with pytest.raises(AnsibleError, match="not built yet"):
        render(cluster, "(installable=true)")


def test_something_else_than_variables_is_refused() -> None:
    templar = Templar(loader=DataLoader(), variables={})
    with pytest.raises(AnsibleError, match="needs a mapping of variables, got str"):
        templar.template(trust_as_template("{{ 'x' | inferencebox.platform.platform_model }}"))
