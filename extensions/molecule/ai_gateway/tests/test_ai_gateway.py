# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both tiers run, each as its own user; tier 1 alone opens a port, and lets nobody pass without an identity."""

from __future__ import annotations

import json
import ssl
import typing as t

import httpx
import pytest

SPOOFED = {"x-tenant-id": "tenant-a", "x-user-id": "somebody", "x-ai-eg-model": "iris"}


@pytest.fixture
def client(instance: t.Any) -> t.Iterator[httpx.Client]:
    """Somebody who trusts the platform's authority and nobody else."""
    trusted = ssl.create_default_context(cafile=instance.path("pki/ca.crt"))
    with httpx.Client(base_url=f"https://127.0.0.1:{instance.ports[0]}", verify=trusted) as made:
        yield made


def test_each_tier_runs_as_its_own_user(instance: t.Any, processes: t.Any) -> None:
    envoys = {
        process.user: process.command[2]
        for process in processes()
        if process.command[0] == instance.path("runtime/bin/envoy")
    }
    expected = {
        instance.user(tier): instance.path(f"{tier}/bootstrap.json") for tier in ("tier1", "tier2")
    }
    assert envoys.keys() == expected.keys()
    assert set(envoys.values()) <= set(expected.values())


def test_only_gateway_and_metrics_are_open_and_only_on_loopback(
    host: t.Any, instance: t.Any, listening: t.Any
) -> None:
    assert host.socket(instance.gateway).is_listening
    assert listening() == {f"127.0.0.1:{instance.ports[0]}", f"127.0.0.1:{instance.ports[2]}"}


@pytest.mark.parametrize(
    ("socket", "user", "mode"),
    [
        ("run/tier1/admin.sock", "tier1", "0600"),
        # Tier 2 asks tier 1 for its counters here.
        ("run/tier1/metrics.sock", "tier1", "0660"),
        ("run/tier2/admin.sock", "tier2", "0600"),
        ("run/tier2/gateway.sock", "tier2", "0660"),
    ],
)
def test_inner_sockets_are_closed_to_others(
    socket: str, user: str, mode: str, host: t.Any, instance: t.Any, described: t.Any, owned: t.Any
) -> None:
    assert host.file(instance.path(socket)).is_socket
    assert described(socket) == owned(user, "tier2", mode)


def test_health_needs_no_identity(client: httpx.Client) -> None:
    assert client.get("/healthz").status_code == httpx.codes.OK


@pytest.mark.parametrize("headers", [{}, SPOOFED, {"authorization": "Bearer x.y.z"}])
def test_nobody_passes_without_an_identity(headers: dict[str, str], client: httpx.Client) -> None:
    assert client.get("/v1/models", headers=headers).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize("issuer", ["builtin", "keys"])
def test_signing_keys_are_the_installer_s_alone(
    issuer: str, host: t.Any, instance: t.Any, described: t.Any, owned: t.Any
) -> None:
    names = host.file(instance.path(f"identity/{issuer}")).listdir()
    keys = [name for name in names if name.endswith(".pem")]
    assert len(keys) == 1
    assert described(f"identity/{issuer}/{keys[0]}") == owned("installer", "installer", "0600")


@pytest.mark.parametrize("issuer", ["builtin", "keys"])
def test_a_key_set_shows_public_halves_only(issuer: str, host: t.Any, instance: t.Any) -> None:
    path = instance.path(f"identity/{issuer}/jwks.json")
    for key in json.loads(host.file(path).content_string)["keys"]:
        assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
        assert "d" not in key


def test_only_tier_1_reads_its_configuration(
    host: t.Any, instance: t.Any, described: t.Any
) -> None:
    names = [f"tier1/xds/{name}" for name in host.file(instance.path("tier1/xds")).listdir()]
    assert names
    for name in ("tier1/bootstrap.json", *names):
        found = described(name)
        assert (found.user, found.mode) == (instance.user("tier1"), "0640"), name
