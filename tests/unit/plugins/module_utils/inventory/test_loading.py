# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Loading: defaults, the way back to variables, and all mistakes at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    InventoryError,
    default_home,
    load,
    select_variables,
    to_vars,
)

from .sample import REMOVED, VALID, changed, problems


def test_what_is_left_out_gets_its_default() -> None:
    platform = load(changed({"platform_home": REMOVED}))
    assert platform.base_url == "https://gateway.inference.localhost:8443"
    assert platform.home == default_home("demo")
    assert [issuer.name for issuer in platform.identity.issuers] == ["builtin"]
    assert platform.tenant("tenant-b").limits.requests_per_minute is None


def test_language_models_have_defaults_of_their_own() -> None:
    platform = load(VALID)
    assert platform.model("chatty").publish.apis == ("chat", "completions")
    assert platform.model("chatty").serving.request_timeout_seconds == pytest.approx(300.0)
    assert platform.model("iris").publish.apis == ("v1", "v2")
    assert platform.model("iris").serving.request_timeout_seconds == pytest.approx(60.0)


def test_a_language_models_own_words_win_over_its_defaults() -> None:
    raw = changed({"models[1].serving.request_timeout": "7s", "models[1].publish.apis": ["chat"]})
    model = load(raw).model("chatty")
    assert model.serving.request_timeout_seconds == pytest.approx(7.0)
    assert model.publish.apis == ("chat",)


def test_replicas_are_a_fixed_number_when_only_min_is_given() -> None:
    assert load(VALID).model("iris").serving.replicas.max == 2


def test_who_may_call_and_who_owns() -> None:
    platform = load(VALID)
    assert [model.name for model in platform.allowed("tenant-a")] == ["iris", "chatty"]
    assert [model.name for model in platform.allowed("tenant-b")] == ["chatty"]
    assert [model.name for model in platform.owned("tenant-a")] == ["iris"]
    with pytest.raises(KeyError):
        platform.allowed("nobody")


def test_variables_made_of_a_platform_make_the_same_platform() -> None:
    raw = changed(
        {
            "models[0].serving.start_timeout": "1500ms",
            "models[0].serving.resources.cpu": "250m",
            "platform_identity": {
                "issuers": [
                    {"name": "builtin"},
                    {
                        "name": "corp",
                        "issuer": "https://idp.example.org",
                        "jwks_uri": "https://idp.example.org/keys",
                        "audiences": ["inference"],
                    },
                ]
            },
        }
    )
    platform = load(raw)
    assert load(to_vars(platform)) == platform
    assert to_vars(load(to_vars(platform))) == to_vars(platform)


def test_the_shipped_inventory_is_valid(root: Path) -> None:
    raw: dict[str, Any] = {}
    for file in sorted((root / "inventories/local/group_vars/all").glob("*.yml")):
        raw |= yaml.safe_load(file.read_text(encoding="utf-8"))
    platform = load(raw, installable=True)
    allowed = {t.name: [m.name for m in platform.allowed(t.name)] for t in platform.tenants}
    assert allowed == {
        "tenant-a": ["iris", "smollm2"],
        "tenant-b": ["iris", "wine"],
        "tenant-c": ["smollm2"],
    }


def test_other_variables_are_neither_looked_at_nor_refused() -> None:
    assert load({**VALID, "ansible_user": object(), "groups": 3}) == load(VALID)
    assert set(select_variables({**VALID, "ansible_user": "x"})) == set(VALID)


def test_an_unknown_variable_of_ours_is_refused_with_the_nearest_known() -> None:
    found = problems(changed({"platform_gatway": {"https_port": 1}}))
    assert found["platform_gatway"].remedy.startswith("Did you mean platform_gateway?")


def test_an_unknown_key_is_refused_with_all_that_are_known_there() -> None:
    found = problems(changed({"tenants[0].limits.requests": 5}))
    remedy = found["tenants[0].limits.requests"].remedy
    assert "tokens_per_month" in remedy
    assert "platform_name" not in remedy


def test_what_all_variables_begin_with_is_no_likeness() -> None:
    found = problems(changed({"platform_banana": "red"}))
    assert found["platform_banana"].remedy.startswith("Remove it.")
    found = problems(changed({"platform_gatway": {}}))
    assert found["platform_gatway"].remedy.startswith("Did you mean platform_gateway?")


def test_a_list_is_not_too_short_because_an_entry_is_wrong() -> None:
    assert list(problems(changed({"models[0].publish.apis": ["v3"]}))) == [
        "models[0].publish.apis[0]"
    ]


def test_the_input_is_left_alone() -> None:
    raw = changed({"tenants[0].name": 5, "models[0].framework": "unknown"})
    before = copy.deepcopy(raw)
    assert problems(raw)
    assert raw == before


def test_every_mistake_is_found_in_one_go() -> None:
    raw = changed(
        {
            "platform_target": REMOVED,
            "platform_gateway.https_port": 9443,
            "platform_domain": "UPPER",
            "tenants[0].models.allow": ["iris", "Bad Name", "ghost", 3],
            "tenants[0].limits.requests_per_minute": "many",
            "models[0].framework": "sklern",
            "models[0].serving.replicas": {"min": 3, "max": 2},
            "models[0].typo": 1,
            "models[1].tenant": "nobody",
            "models[1].source": "https://host/model.gguf",
            "models[1].publish.apis": ["v1"],
        }
    )
    assert list(problems(raw)) == [
        "platform_target",
        "platform_domain",
        "platform_observability.prometheus_port",
        "tenants[0].models.allow[1]",
        "tenants[0].models.allow[3]",
        "tenants[0].limits.requests_per_minute",
        "tenants[0].models.allow[2]",
        "models[0].framework",
        "models[0].typo",
        "models[0].serving.replicas.min",
        "models[1].tenant",
        "models[1].publish.apis[0]",
        "models[1].checksum",
    ]


@pytest.mark.parametrize("tenants", [None, [], "tenant-a", [None], [{}], [{"name": None}]])
def test_broken_tenants_are_not_blamed_on_the_models(tenants: Any) -> None:
    found = problems(changed({"tenants": tenants}))
    assert found
    assert {path.split("[")[0].split(".")[0] for path in found} <= {"tenants", "models"}
    if tenants != []:
        assert all(path.startswith("tenants") for path in found), found


@pytest.mark.parametrize("models", ["iris", [None], [{}], [[]], {"iris": {}}])
def test_broken_models_are_not_blamed_on_the_tenants(models: Any) -> None:
    found = problems(changed({"models": models}))
    assert found
    assert all(path.startswith("models") for path in found), found


def test_nothing_at_all_is_three_problems() -> None:
    assert list(problems({})) == ["platform_name", "platform_target", "tenants"]


def test_the_text_lists_path_value_and_remedy() -> None:
    with pytest.raises(InventoryError) as caught:
        load(changed({"tenants[1].models.allow": ["ghost"], "platform_name": "Demo"}))
    text = str(caught.value)
    assert text.startswith("the inventory has 2 problems:\n")
    assert "tenants[1].models.allow[0]: is not a model of this platform (found 'ghost')" in text
    assert text.count("\n  - ") == 2
    assert "(found 'Demo')" in text
