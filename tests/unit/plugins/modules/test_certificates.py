# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.modules import certificates
from cryptography import x509

from .conftest import Json, Run


def _arguments(place: Path, me: Json) -> Json:
    return {
        "authority": {
            "certificate": str(place / "ca.crt"),
            "key": str(place / "ca.key"),
            "common_name": "a CA",
        },
        "certificates": [
            {
                "name": "edge",
                "path": str(place / "edge"),
                "common_name": "gateway.example.org",
                "subject_alt_names": ["DNS:gateway.example.org", "IP:127.0.0.1"],
                "usage": ["serverAuth"],
                **me,
            }
        ],
        "days": 90,
        "renew_before_days": 30,
    }


def test_the_cycle_of_a_certificate(run: Run, tmp_path: Path, me: Json) -> None:
    arguments = _arguments(tmp_path, me)
    foretold = run(certificates, check=True, **arguments)
    assert (foretold["changed"], foretold["issued"]) == (True, ["edge"])
    assert list(tmp_path.iterdir()) == []
    made = run(certificates, **arguments)
    assert (made["changed"], made["issued"]) == (True, ["edge"])
    first = x509.load_pem_x509_certificate((tmp_path / "edge.crt").read_bytes())
    assert run(certificates, **arguments)["changed"] is False
    renewed = run(certificates, **{**arguments, "renew_before_days": 91})
    assert renewed["issued"] == ["edge"]
    second = x509.load_pem_x509_certificate((tmp_path / "edge.crt").read_bytes())
    assert first.serial_number != second.serial_number
    assert first.public_key() == second.public_key()


def test_a_damaged_authority_is_named(run: Run, tmp_path: Path, me: Json) -> None:
    arguments = _arguments(tmp_path, me)
    run(certificates, **arguments)
    (tmp_path / "ca.key").write_text("nothing")
    failed = run(certificates, **arguments)
    assert failed["failed"] is True
    assert str(tmp_path / "ca.key") in failed["msg"]
    assert "PRIVATE KEY" not in str(failed)
