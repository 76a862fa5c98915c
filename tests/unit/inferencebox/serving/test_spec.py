# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferencebox.serving.__main__ import main
from inferencebox.serving.errors import SpecError
from inferencebox.serving.spec import load_spec
from tests.unit.inferencebox.serving.replica import write_spec

GOOD = {"name": "iris", "framework": "sklearn", "artifact": "/models/iris"}


def test_good_spec(tmp_path: Path) -> None:
    spec = load_spec(write_spec(tmp_path, **GOOD))
    assert (spec.name, spec.apis, spec.threads, spec.is_llm) == ("iris", ("v1", "v2"), 1, False)
    assert spec.credential() == "a-credential-of-tests"


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"threads": 0}, "threads must be a whole number of at least 1, found 0"),
        ({"threads": True}, "threads"),
        ({"request_timeout_seconds": -1}, "request_timeout_seconds"),
        ({"apis": []}, "apis"),
        ({"apis": ["chat"]}, "apis has 'chat', this framework knows v1, v2"),
        ({"framework": "llm"}, "apis has 'v1'"),
        ({"name": ""}, "name"),
        ({"socket": "/" + "s" * 102 + ".sock"}, "longer than 107 bytes"),
        ({"socket": "/run/iris"}, "socket must end in .sock"),
    ],
)
def test_wrong_key_is_named(tmp_path: Path, keys: dict[str, Any], named: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(write_spec(tmp_path, **{**GOOD, **keys}))
    assert named in str(caught.value)


def test_all_problems_at_once(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({"threads": 0, "colour": "red"}), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    text = str(caught.value)
    assert all(part in text for part in ("colour", "threads", "name is missing", "apis is missing"))


def test_unusable_spec_exits_with_3(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--spec", str(tmp_path / "gone.json")]) == 3
    assert "No such file" in capfd.readouterr().err


def test_empty_credential_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, **GOOD)
    (tmp_path / "credential").write_text("\n", encoding="utf-8")
    assert main(["--spec", str(path)]) == 3
    assert "is empty" in capfd.readouterr().err
