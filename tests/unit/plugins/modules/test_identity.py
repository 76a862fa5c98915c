# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import (
    identity as host_identity,
)
from ansible_collections.inferencebox.platform.plugins.modules import identity

from .conftest import Run


def test_issuers_are_made_once_and_no_secret_is_shown(run: Run, tmp_path: Path) -> None:
    directory = str(tmp_path / "identity")
    foretold = run(identity, check=True, directory=directory, tenants=["tenant-a"])
    assert foretold["changed"] is True
    assert foretold["jwks"] == {"builtin": {"keys": []}, "keys": {"keys": []}}
    assert not Path(directory).exists()
    made = run(identity, directory=directory, tenants=["tenant-a"])
    again = run(identity, directory=directory, tenants=["tenant-a"])
    assert (made["changed"], again["changed"]) == (True, False)
    assert made["jwks"] == again["jwks"]
    assert all("d" not in key for row in made["jwks"].values() for key in row["keys"])


def test_keys_that_are_valid_and_what_others_gave_are_returned(run: Run, tmp_path: Path) -> None:
    directory = str(tmp_path / "identity")
    run(identity, directory=directory, tenants=["tenant-a"])
    for name in ("kept", "revoked"):
        host_identity.create_key(directory, "tenant-a", name, audience="a", issuer="i")
    host_identity.revoke_key(directory, "revoked")
    jwks = tmp_path / "corp.json"
    jwks.write_text(json.dumps(host_identity.jwks(f"{directory}/builtin")))
    authority = tmp_path / "corp.pem"
    authority.write_text("PEM")
    result = run(
        identity,
        directory=directory,
        tenants=["tenant-a"],
        jwks_files={"corp": str(jwks)},
        ca_files={"corp": str(authority)},
    )
    assert [(key["name"], key["tenant"]) for key in result["active_keys"]] == [("kept", "tenant-a")]
    assert "fingerprint" not in result["active_keys"][0]
    assert result["jwks"]["corp"] == result["jwks"]["builtin"]
    assert result["authorities"] == {"corp": "PEM"}


def test_keys_of_tenants_that_are_gone_are_revoked(run: Run, tmp_path: Path) -> None:
    directory = str(tmp_path / "identity")
    run(identity, directory=directory, tenants=["tenant-a", "tenant-b"])
    for tenant in ("tenant-a", "tenant-b"):
        host_identity.create_key(directory, tenant, "job", audience="a", issuer="i")
    foretold = run(identity, check=True, directory=directory, tenants=["tenant-a"])
    done = run(identity, directory=directory, tenants=["tenant-a"])
    again = run(identity, directory=directory, tenants=["tenant-a", "tenant-b"])
    for result in (foretold, done):
        assert result["changed"] is True
        assert result["revoked"] == [{"name": "job", "tenant": "tenant-b"}]
    for result in (foretold, done, again):
        assert [key["tenant"] for key in result["active_keys"]] == ["tenant-a"]
    assert (again["changed"], again["revoked"]) == (False, [])


@pytest.mark.parametrize("option", ["jwks_files", "ca_files"])
def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path, option: str) -> None:
    missing = str(tmp_path / "nothing")
    failed = run(identity, directory=str(tmp_path), tenants=[], **{option: {"corp": missing}})
    assert failed["failed"] is True
    assert missing in failed["msg"]
