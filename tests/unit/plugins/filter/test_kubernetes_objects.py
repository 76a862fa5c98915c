# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both filters of a cluster's objects as Ansible calls them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars

from ..module_utils.kubernetes import sample


def render(expression: str, variables: dict[str, Any]) -> Any:
    """Render an expression in which `platform` is the inventory."""
    templar = Templar(loader=DataLoader(), variables={"platform": variables})
    return templar.template(trust_as_template(f"{{{{ platform | {expression} }}}}"))


def test_the_filter_gives_what_the_builders_make() -> None:
    platform = load(sample.FULL)
    filtered = render("inferencebox.platform.kubernetes_objects", to_vars(platform))
    assert filtered == kubernetes.objects(platform)
    part = render("inferencebox.platform.kubernetes_objects('system')", to_vars(platform))
    assert part == kubernetes.objects(platform, "system")


def test_the_files_hold_all_objects_in_order() -> None:
    platform = load(sample.FULL)
    files = render("inferencebox.platform.kubernetes_manifests", to_vars(platform))
    read = [found for name in sorted(files) for found in yaml.safe_load_all(files[name])]
    assert read == kubernetes.objects(platform)


@pytest.mark.parametrize(
    ("expression", "changes", "words"),
    [
        ("kubernetes_objects('tenant')", {}, "no part 'tenant'; its parts are system"),
        (
            "kubernetes_objects",
            {"platform_target": "kube"},
            "platform_target: is not a known value",
        ),
        ("kubernetes_manifests", {"tenants": []}, "names no tenant"),
    ],
)
def test_what_cannot_be_made_is_refused(
    expression: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(AnsibleError, match=words):
        render(f"inferencebox.platform.{expression}", {**sample.FULL, **changes})


@pytest.mark.parametrize("name", ["kubernetes_objects", "kubernetes_manifests"])
def test_a_platform_on_one_machine_has_no_objects(name: str) -> None:
    local = {
        "platform_name": "demo",
        "platform_target": "local",
        "tenants": [{"name": "tenant-a", "models": {"allow": ["iris"]}}],
        "models": [
            {
                "name": "iris",
                "tenant": "tenant-a",
                "framework": "sklearn",
                "source": "python://samples/iris",
            }
        ],
    }
    with pytest.raises(AnsibleError, match="is no cluster"):
        render(f"inferencebox.platform.{name}", local)
