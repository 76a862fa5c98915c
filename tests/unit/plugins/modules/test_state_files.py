# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.modules import state_files

from .conftest import Json, Run


def _arguments(place: Path, me: Json) -> Json:
    return {
        "directories": [{"path": str(place / "d"), "mode": "0750", **me}],
        "files": [
            {"path": str(place / "d/plain"), "content": "seen\n", "mode": "0640"},
            {"path": str(place / "d/secret"), "secret_content": "unseen\n", "mode": "0600"},
        ],
        "prune": [{"directory": str(place / "d"), "pattern": "*.old"}],
    }


def test_the_cycle_of_files(run: Run, tmp_path: Path, me: Json) -> None:
    arguments = _arguments(tmp_path, me)
    foretold = run(state_files, check=True, **arguments)
    assert list(tmp_path.iterdir()) == []
    made = run(state_files, **arguments)
    assert (
        foretold["paths"]
        == made["paths"]
        == [str(tmp_path / name) for name in ("d", "d/plain", "d/secret")]
    )
    for name, mode in (("d", 0o750), ("d/plain", 0o640), ("d/secret", 0o600)):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode
    assert run(state_files, **arguments)["changed"] is False
    (tmp_path / "d/stale.old").touch()
    assert run(state_files, **arguments)["paths"] == [str(tmp_path / "d/stale.old")]
    assert not (tmp_path / "d/stale.old").exists()


def test_a_secret_is_written_and_never_shown(run: Run, tmp_path: Path, me: Json) -> None:
    result = run(state_files, **_arguments(tmp_path, me))
    assert (tmp_path / "d/secret").read_text() == "unseen\n"
    assert "seen" in str(result["diff"])
    assert "unseen" not in str(result)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"content": "a", "secret_content": "b"}, "mutually exclusive"),
        ({}, "one of the following is required: content, secret_content"),
        ({"content": "a", "mode": "rwx"}, "invalid literal"),
        ({"content": "a", "owner": "nobody-of-that-name"}, "nobody-of-that-name"),
    ],
)
def test_a_row_that_cannot_be_is_refused(run: Run, tmp_path: Path, row: Json, said: str) -> None:
    failed = run(state_files, files=[{"path": str(tmp_path / "f"), **row}])
    assert failed["failed"] is True
    assert said in failed["msg"]
    assert not (tmp_path / "f").exists()
