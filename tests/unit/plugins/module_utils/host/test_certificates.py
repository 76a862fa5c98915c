# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
import datetime
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import PlatformError
from ansible_collections.inferencebox.platform.plugins.module_utils.host import certificates
from ansible_collections.inferencebox.platform.plugins.module_utils.host.certificates import (
    Authority,
    Certificate,
    ensure,
)
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

SPIFFE = "spiffe://inference.localhost/ns/platform/sa/tier1"


class Place:
    """A platform's certificates below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(str(directory / "ca.crt"), str(directory / "ca.key"), "demo CA")
        names = ["DNS:gateway.inference.localhost", "IP:127.0.0.1", "IP:::1"]
        self.server = Certificate(
            "server", str(directory / "server"), "gateway", names, ["serverAuth"]
        )
        self.client = Certificate(
            "client", str(directory / "client"), "t1", [f"URI:{SPIFFE}"], ["clientAuth"]
        )

    def ensure(self, *, days: int = 90, check: bool = False, **changed: Certificate) -> list[str]:
        wanted = [changed.get(one.name, one) for one in (self.server, self.client)]
        return ensure(self.authority, wanted, days=days, renew_before_days=30, check=check)

    def certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.directory / f"{name}.crt").read_bytes())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_issued_is_of_the_authority_and_says_who_it_is(place: Place) -> None:
    assert place.ensure() == ["server", "client"]
    authority = place.certificate("ca")
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (
        True,
        True,
        0,
    )
    for name, usage in (("server", "SERVER_AUTH"), ("client", "CLIENT_AUTH")):
        issued = place.certificate(name)
        issued.verify_directly_issued_by(authority)
        usages = issued.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usages) == [getattr(ExtendedKeyUsageOID, usage)]
        left = issued.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
        assert datetime.timedelta(days=89) < left <= datetime.timedelta(days=90)
    names = place.certificate("client").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [SPIFFE]


def _at(monkeypatch: pytest.MonkeyPatch, **away: int) -> None:
    """Set the clock that certificates are made by."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(**away)
    monkeypatch.setattr(certificates, "_now", lambda: moment)


def test_a_clock_that_is_a_little_behind_refuses_nothing_new(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ensure()
    _at(monkeypatch, minutes=-50)
    assert place.ensure() == []


def test_what_was_issued_by_a_clock_that_was_ahead_is_issued_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ensure()
    with monkeypatch.context() as ahead:
        _at(ahead, days=80)
        assert place.ensure() == ["server", "client"]
    assert place.ensure() == ["server", "client"]
    assert place.ensure() == []


@pytest.mark.parametrize(
    ("days", "reason"), [(-1, r"is not valid before \d{4}-"), (3650, r"ended on \d{4}-")]
)
def test_an_authority_that_is_not_valid_now_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, days: int, reason: str
) -> None:
    place.ensure()
    before = {path: path.read_bytes() for path in place.directory.iterdir()}
    _at(monkeypatch, days=days)
    with pytest.raises(PlatformError, match=reason) as caught:
        place.ensure()
    assert "clock" in str(caught.value)
    assert {path: path.read_bytes() for path in place.directory.iterdir()} == before


def test_a_second_run_issues_nothing(place: Place) -> None:
    place.ensure()
    before = {path: path.read_bytes() for path in place.directory.iterdir()}
    assert place.ensure() == []
    assert {path: path.read_bytes() for path in place.directory.iterdir()} == before


def test_keys_are_for_their_owner_only(place: Place) -> None:
    place.ensure()
    for name in ("ca", "server", "client"):
        assert stat.S_IMODE((place.directory / f"{name}.key").stat().st_mode) == 0o600


def test_a_renewal_keeps_the_key(place: Place) -> None:
    place.ensure(days=10)
    key, serial = (
        (place.directory / "server.key").read_bytes(),
        place.certificate("server").serial_number,
    )
    assert place.ensure() == ["server", "client"]
    assert (place.directory / "server.key").read_bytes() == key
    assert place.certificate("server").serial_number != serial


def test_other_names_are_a_reason_to_issue_that_one_anew(place: Place) -> None:
    place.ensure()
    other = dataclasses.replace(place.server, subject_alt_names=["DNS:other.inference.localhost"])
    assert place.ensure(server=other) == ["server"]


def test_another_use_is_a_reason_as_well(place: Place) -> None:
    place.ensure()
    both = dataclasses.replace(place.client, usage=["clientAuth", "serverAuth"])
    assert place.ensure(client=both) == ["client"]
    usage = place.certificate("client").extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert set(usage.value) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}


def test_a_new_authority_issues_everything_anew(place: Place) -> None:
    place.ensure()
    os.unlink(place.authority.certificate)
    os.unlink(place.authority.key)
    assert place.ensure() == ["server", "client"]
    place.certificate("server").verify_directly_issued_by(place.certificate("ca"))


def test_check_mode_tells_and_writes_nothing(place: Place) -> None:
    assert place.ensure(check=True) == ["server", "client"]
    assert list(place.directory.iterdir()) == []
    place.ensure()
    assert place.ensure(check=True) == []


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "server.crt", "client.key"])
def test_a_file_that_cannot_be_read_is_named_with_the_remedy(place: Place, name: str) -> None:
    place.ensure(days=10)  # so that each of them is needed
    (place.directory / name).write_text("nonsense")
    with pytest.raises(PlatformError, match=f"{name} is no .*Remove it"):
        place.ensure()
