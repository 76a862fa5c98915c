# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 2 is configured: identities signed by the platform's own authority, and files that only tier 2 reads."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

DAYS = 90
# Path below pki/: names in the certificate, what it is for, who holds its key.
CERTIFICATES = {
    "tier1/server": (
        {"gateway.inference.localhost", "localhost", "127.0.0.1", "::1"},
        {ExtendedKeyUsageOID.SERVER_AUTH},
        "tier1",
    ),
    "tier1/client": (
        {"spiffe://inference.localhost/ns/platform/sa/tier1"},
        {ExtendedKeyUsageOID.CLIENT_AUTH},
        "tier1",
    ),
    "tier2/server": (
        {"spiffe://inference.localhost/ns/platform/sa/tier2", "localhost", "127.0.0.1"},
        {ExtendedKeyUsageOID.SERVER_AUTH},
        "tier2",
    ),
    "metrics/metrics": (
        {"spiffe://inference.localhost/ns/platform/sa/metrics", "localhost", "127.0.0.1"},
        {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH},
        "metrics",
    ),
    "operator/operator": (
        {"spiffe://inference.localhost/ns/platform/sa/operator"},
        {ExtendedKeyUsageOID.CLIENT_AUTH},
        "installer",
    ),
}
each_certificate = pytest.mark.parametrize("name", CERTIFICATES)


@each_certificate
def test_a_certificate_names_who_it_is_for(name: str, certificate: t.Any) -> None:
    names, usage, _ = CERTIFICATES[name]
    found = certificate(f"pki/{name}.crt").extensions
    alternatives = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(each.value) for each in alternatives} == names
    assert set(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == usage


@each_certificate
def test_a_certificate_is_valid_now_and_for_a_quarter(name: str, certificate: t.Any) -> None:
    found = certificate(f"pki/{name}.crt")
    now = datetime.datetime.now(datetime.UTC)
    lifetime = found.not_valid_after_utc - found.not_valid_before_utc
    assert found.not_valid_before_utc <= now
    assert lifetime == datetime.timedelta(days=DAYS)


@each_certificate
def test_a_certificate_is_signed_by_the_authority(name: str, certificate: t.Any) -> None:
    certificate(f"pki/{name}.crt").verify_directly_issued_by(certificate("pki/ca.crt"))


@each_certificate
def test_a_key_is_its_holder_s_alone(name: str, described: t.Any, owned: t.Any) -> None:
    holder = CERTIFICATES[name][2]
    assert described(f"pki/{name}.key") == owned(holder, holder, "0600")


@each_certificate
def test_a_key_belongs_to_its_certificate(name: str, host: t.Any, instance: t.Any) -> None:
    path = instance.path(f"pki/{name}.key")
    of_key = host.check_output(f"openssl pkey -in {path} -pubout")
    of_certificate = host.check_output(
        f"openssl x509 -in {path.removesuffix('.key')}.crt -pubkey -noout"
    )
    assert of_key == of_certificate


def test_the_authority_signs_no_other_authority(certificate: t.Any) -> None:
    found = certificate("pki/ca.crt").extensions
    constraints = found.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)


def test_the_authority_s_key_is_the_installer_s_alone(described: t.Any, owned: t.Any) -> None:
    assert described("pki/authority/ca.key") == owned("installer", "installer", "0600")
    assert described("pki/ca.crt") == owned("installer", "installer", "0644")


def test_only_tier_2_reads_its_configuration(
    host: t.Any, instance: t.Any, described: t.Any
) -> None:
    xds = instance.path("tier2/xds")
    names = [f"tier2/xds/{name}" for name in host.file(xds).listdir()]
    assert names
    for name in ("tier2/bootstrap.json", *names):
        found = described(name)
        assert (found.user, found.mode) == (instance.user("tier2"), "0640"), name


def test_tier_2_opens_no_port_but_for_metrics(host: t.Any, instance: t.Any) -> None:
    content = json.loads(host.file(instance.path("tier2/xds/listeners.json")).content_string)
    ports = [
        each["address"]["socket_address"]
        for each in content["resources"]
        if "socket_address" in each["address"]
    ]
    assert ports == [{"address": "127.0.0.1", "port_value": instance.ports[2]}]


def test_tier_2_lets_nobody_in_without_a_certificate(host: t.Any, instance: t.Any) -> None:
    content = json.loads(host.file(instance.path("tier2/xds/listeners.json")).content_string)
    chains = [chain for each in content["resources"] for chain in each["filter_chains"]]
    assert chains
    for chain in chains:
        assert chain["transport_socket"]["typed_config"]["require_client_certificate"] is True


def test_tier_2_s_admin_interface_is_no_port(host: t.Any, instance: t.Any) -> None:
    bootstrap = json.loads(host.file(instance.path("tier2/bootstrap.json")).content_string)
    assert list(bootstrap["admin"]["address"]) == ["pipe"]


def test_tier_2_has_no_replica_to_ask_yet(host: t.Any, instance: t.Any) -> None:
    endpoints = instance.path("tier2/endpoints")
    for name in ("tenant-a.iris.json", "tenant-b.smollm2.json"):
        content = json.loads(host.file(f"{endpoints}/{name}").content_string)
        assert not any(resource.get("endpoints") for resource in content["resources"]), name
