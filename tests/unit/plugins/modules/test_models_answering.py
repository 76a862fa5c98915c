# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import identity
from ansible_collections.inferencebox.platform.plugins.modules import models_answering

from tests.tls import Authority, https_server

from .conftest import Run

_NAME = "gateway.inference.localhost"


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, t.Any]:
    """Arguments of the module, for a gateway that is not there yet."""
    identity.ensure_issuers(str(tmp_path / "identity"))
    ca_file = str(Authority(tmp_path).ca_file)
    question = {"model": "iris", "tenant": "tenant-a", "path": "/v2/models/iris/ready"}
    return {
        "gateway": {"address": "127.0.0.1", "port": 1, "name": _NAME, "ca_file": ca_file},
        "base_url": f"https://{_NAME}",
        "identity": str(tmp_path / "identity"),
        "questions": [question],
        "timeout": 0,
    }


def test_a_model_that_answers(run: Run, asked: dict[str, t.Any], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with https_server(authority, lambda _: (200, b"{}"), _NAME) as port:
        asked["gateway"] |= {"port": port, "ca_file": str(authority.ca_file)}
        assert run(models_answering, **asked) == {"changed": False, "late": {}, **_shown(asked)}


def _shown(asked: dict[str, t.Any]) -> dict[str, t.Any]:
    question = {**asked["questions"][0], "body": None}
    return {"invocation": {"module_args": {**asked, "questions": [question], "timeout": 0.0}}}


def test_one_that_does_not_is_named_and_no_token_is_told(run: Run, asked: dict[str, t.Any]) -> None:
    result = run(models_answering, **asked)
    assert result["failed"] is True
    assert result["late"] == {"iris": "nothing listens at 127.0.0.1:1"}
    assert "- iris: nothing listens" in result["msg"]
    assert "eyJ" not in json.dumps(result)


def test_check_mode_asks_nobody(run: Run, asked: dict[str, t.Any]) -> None:
    assert run(models_answering, check=True, **asked)["late"] == {}


def test_without_an_issuer_it_says_so(run: Run, asked: dict[str, t.Any], tmp_path: Path) -> None:
    result = run(models_answering, **{**asked, "identity": str(tmp_path / "nowhere")})
    assert result["failed"] is True
