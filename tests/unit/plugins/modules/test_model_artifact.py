# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.modules import model_artifact

from .conftest import Json, Run


def _row(place: Path, name: str, **more: str) -> Json:
    return {
        "name": name,
        "source": f"file://{place / name}.bin",
        "destination": str(place / "artifacts" / name),
        **more,
    }


def test_what_cannot_be_had_keeps_nothing_else_away(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.bin").write_bytes(b"model")
    (tmp_path / "wrong.bin").write_bytes(b"model")
    (tmp_path / "artifacts").mkdir()
    rows = [
        _row(tmp_path, "missing"),
        _row(tmp_path, "good"),
        _row(tmp_path, "wrong", checksum=f"sha256:{'0' * 64}"),
    ]
    result = run(model_artifact, artifacts=rows)
    assert result["changed"] is True
    assert list(result["artifacts"]) == ["good"]
    good = result["artifacts"]["good"]
    assert good["digest"] == f"sha256:{hashlib.sha256(b'model').hexdigest()}"
    assert Path(good["path"]).exists()
    reasons = {row["name"]: row["reason"] for row in result["failed_items"]}
    assert set(reasons) == {"missing", "wrong"}
    assert "missing.bin" in reasons["missing"]
    assert "0" * 64 in reasons["wrong"]
    assert run(model_artifact, artifacts=rows)["changed"] is False


def test_a_password_in_a_source_is_not_shown(run: Run, tmp_path: Path) -> None:
    source = "https://ada:secret-word@127.0.0.1:1/model.bin"
    row = {**_row(tmp_path, "private", checksum=f"sha256:{'0' * 64}"), "source": source}
    result = run(model_artifact, artifacts=[row])
    (failed,) = result["failed_items"]
    assert "127.0.0.1" in failed["source"] + failed["reason"]
    assert "secret-word" not in failed["source"] + failed["reason"]


def test_check_fetches_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.bin").write_bytes(b"model")
    result = run(model_artifact, check=True, artifacts=[_row(tmp_path, "good")])
    assert result["changed"] is True
    assert not (tmp_path / "artifacts").exists()
