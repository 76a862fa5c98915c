# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.modules import replicas_healthy

from .conftest import Run


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, t.Any]:
    """Arguments of the module, for a gateway that does not run."""
    socket = str(tmp_path / "admin.sock")
    return {"admin_socket": socket, "replicas": {"iris": ["/run/iris.sock"]}, "timeout": 0}


def test_models_without_requests_are_named(run: Run, asked: dict[str, t.Any]) -> None:
    result = run(replicas_healthy, **asked)
    assert result["failed"] is True
    assert list(result["late"]) == ["iris"]
    assert "after 0 s tier 2 sends no requests" in result["msg"]
    assert "- iris: tier 2 does not answer on" in result["msg"]


def test_check_mode_waits_for_nothing(run: Run, asked: dict[str, t.Any]) -> None:
    result = run(replicas_healthy, check=True, **asked)
    assert (result.get("failed"), result["changed"], result["late"]) == (None, False, {})


def test_without_replicas_there_is_nothing_to_wait_for(run: Run, asked: dict[str, t.Any]) -> None:
    assert run(replicas_healthy, **{**asked, "replicas": {}})["changed"] is False
