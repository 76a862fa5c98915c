# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import stat
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.modules import model_credentials

from .conftest import Json, Run


def _row(place: Path, me: Json) -> Json:
    return {
        "server_file": str(place / "iris.secret"),
        "server_owner": me["owner"],
        "server_group": me["group"],
        "gateway_file": str(place / "tenant-a.iris"),
        "gateway_owner": me["owner"],
        "gateway_group": me["group"],
    }


def test_a_secret_is_made_once_in_both_forms_and_never_shown(
    run: Run, tmp_path: Path, me: Json
) -> None:
    row = _row(tmp_path, me)
    foretold = run(model_credentials, check=True, credentials=[row])
    assert (foretold["changed"], list(tmp_path.iterdir())) == (True, [])
    made = run(model_credentials, credentials=[row])
    assert made["created"] == [row["server_file"]]
    secret = Path(row["server_file"]).read_text()
    assert Path(row["gateway_file"]).read_text() == f"Bearer {secret}"
    assert len(secret) >= 43, "256 bits"
    assert secret not in str(made)
    for name in ("server_file", "gateway_file"):
        assert stat.S_IMODE(Path(row[name]).stat().st_mode) == 0o640
    assert run(model_credentials, credentials=[row])["changed"] is False
    Path(row["gateway_file"]).unlink()
    assert run(model_credentials, credentials=[row])["changed"] is True
    assert Path(row["server_file"]).read_text() != secret, "both sides get a new one"


def test_a_directory_that_is_not_there_is_named(run: Run, tmp_path: Path, me: Json) -> None:
    failed = run(model_credentials, credentials=[_row(tmp_path / "nowhere", me)])
    assert failed["failed"] is True
    assert str(tmp_path / "nowhere") in failed["msg"]
