# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `apply` and `cluster_info` say where there is no cluster; tests/cluster runs them on one."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.inferencebox.platform.plugins.module_utils import cluster_module
from ansible_collections.inferencebox.platform.plugins.modules import apply, cluster_info

_SECRET = "nobody-may-see-this"


def run(
    module: types.ModuleType, capsys: pytest.CaptureFixture[str], arguments: dict[str, t.Any]
) -> dict[str, t.Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        module.main()
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("module", [apply, cluster_info])
def test_without_a_kubeconfig_it_says_so_and_shows_no_secret(
    module: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n"},
        "stringData": {"key": _SECRET},
    }
    arguments = {"objects": [secret], "platform": "demo", "kubeconfig": "/nowhere"}
    result = run(module, capsys, arguments)
    assert result["failed"] is True
    assert result["msg"].startswith("no kubeconfig at /nowhere")
    assert result["invocation"]["module_args"]["objects"][0]["stringData"] == {"key": "***"}
    assert _SECRET not in json.dumps(result)


@pytest.mark.parametrize("module", [apply, cluster_info])
def test_a_missing_library_is_named(
    module: types.ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "MISSING", "httpx")
    result = run(module, capsys, {"objects": [], "platform": "demo"})
    assert result["failed"] is True
    assert "(httpx)" in result["msg"]
