# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Model artifacts are there, checked and named by their content; nothing serves them yet."""

from __future__ import annotations

import json
import typing as t

import pytest

ARTIFACTS = (("tenant-a", "iris"), ("tenant-b", "smollm2"))


@pytest.mark.parametrize(("tenant", "model"), ARTIFACTS)
def test_what_is_fetched_is_recorded(tenant: str, model: str, host: t.Any, instance: t.Any) -> None:
    record = host.file(instance.path(f"artifacts/{tenant}/{model}/1/.artifact.json"))
    content = json.loads(record.content_string)
    assert content["digest"].startswith("sha256:")
    assert content["bytes"] > 0
    assert host.file(content["path"]).exists


@pytest.mark.parametrize(("tenant", "model"), ARTIFACTS)
def test_only_the_tenant_comes_near_it(
    tenant: str, model: str, described: t.Any, owned: t.Any
) -> None:
    assert described(f"artifacts/{tenant}") == owned("installer", f"t-{tenant}", "0750")
    assert described(f"artifacts/{tenant}/{model}").user == owned("installer", "installer", "").user


def test_no_model_server_runs(processes: t.Any) -> None:
    assert not [each for each in processes() if "inferencebox.serving" in each.command]
