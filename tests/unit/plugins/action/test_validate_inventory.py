# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action as a play runs it: with lazy variables and tagged scalars, and in check mode."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.template import trust_as_template

from .loading import load_action

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


def run(variables: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Run the action with these variables of a host."""
    name = "inferencebox.platform.validate_inventory"
    action = load_action(name, name, {name: options}, variables)
    result: dict[str, Any] = action.run(task_vars=variables)
    return result


def test_templates_inside_are_rendered_and_defaults_filled_in() -> None:
    result = run(VARIABLES)
    platform = result["platform"]
    assert result["changed"] is False
    assert platform["platform_home"] == "/srv/demo"
    assert platform["platform_gateway"]["https_port"] == 8443
    assert platform["tenants"][0]["name"] == "tenant-a"
    assert platform["models"][0]["publish"]["apis"] == ["v1", "v2"]
    assert "team" not in platform


def test_what_it_returns_is_an_inventory() -> None:
    platform = run(VARIABLES)["platform"]
    assert run(platform)["platform"] == platform


def test_every_problem_is_in_the_message() -> None:
    result = run({**VARIABLES, "platform_nam": "x", "platform_home": "here"})
    assert result["failed"] is True
    assert "platform" not in result
    assert "the inventory has 2 problems" in result["msg"]
    assert (
        "platform_nam: is not a known key (found 'x'). Did you mean platform_name?" in result["msg"]
    )
    assert "platform_home: is not an absolute path (found 'here')" in result["msg"]


def test_what_nothing_installs_yet_is_refused_on_request() -> None:
    served = {
        **VARIABLES["models"][0],
        "framework": "llm",
        "runtime": "llm-d",
        "source": "hf://owner/name",
    }
    served["publish"] = {"apis": ["chat"]}
    cluster = {**VARIABLES, "platform_target": "kubernetes", "models": [served]}
    assert run(cluster)["platform"]["models"][0]["runtime"] == "llm-d"
    assert "is not installed yet" in run(cluster, installable=True)["msg"]


@pytest.mark.parametrize("options", [{"instalable": True}, {"installable": "perhaps"}])
def test_options_are_those_of_its_documentation(options: dict[str, Any]) -> None:
    with pytest.raises(AnsibleActionFail, match=next(iter(options))):
        run(VARIABLES, **options)
