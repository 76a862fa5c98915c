# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus runs as its own user and shows its figures to holders of the operator's certificate alone."""

from __future__ import annotations

import json
import ssl
import time
import typing as t

import httpx
import pytest

# Figures are read every 15 seconds; the rest is for a busy machine.
FIRST_FIGURES_SECONDS = 90


@pytest.fixture(autouse=True)
def there(host: t.Any, instance: t.Any) -> None:
    """Skips where the machine has no Prometheus and cannot fetch it; the platform must then say why."""
    state = json.loads(host.file(instance.path("state/prometheus.json")).content_string)
    if state["reason"] is not None:
        pytest.skip(f"no Prometheus here: {state['reason']}")


def client_of(instance: t.Any, *, operator: bool) -> httpx.Client:
    """Somebody on this machine, with or without the operator's certificate."""
    trusted = ssl.create_default_context(cafile=instance.path("pki/ca.crt"))
    if operator:
        pair = (instance.path(f"pki/operator/operator.{kind}") for kind in ("crt", "key"))
        trusted.load_cert_chain(*pair)
    return httpx.Client(base_url=f"https://127.0.0.1:{instance.ports[1]}", verify=trusted)


def test_it_runs_once_as_its_own_user(instance: t.Any, processes: t.Any) -> None:
    running = [each for each in processes() if each.command[0].endswith("/prometheus")]
    assert [each.user for each in running] == [instance.user("metrics")]


def test_it_listens_on_loopback(host: t.Any, instance: t.Any, listening: t.Any) -> None:
    assert host.socket(f"tcp://127.0.0.1:{instance.ports[1]}").is_listening
    assert listening() == {f"127.0.0.1:{port}" for port in instance.ports}


@pytest.mark.parametrize(
    ("name", "user", "group", "mode"),
    [
        ("prometheus/prometheus.yml", "installer", "metrics", "0640"),
        ("prometheus/web.yml", "installer", "metrics", "0640"),
        ("prometheus/data", "metrics", "metrics", "0700"),
        ("state/prometheus.json", "installer", "installer", "0600"),
    ],
)
def test_its_files_are_closed_to_others(
    name: str, user: str, group: str, mode: str, described: t.Any, owned: t.Any
) -> None:
    assert described(name) == owned(user, group, mode)


def test_it_shows_nothing_to_a_stranger(instance: t.Any) -> None:
    with client_of(instance, operator=False) as client, pytest.raises(httpx.TransportError):
        client.get("/-/healthy")


def test_both_gateways_are_watched(instance: t.Any) -> None:
    deadline = time.monotonic() + FIRST_FIGURES_SECONDS
    with client_of(instance, operator=True) as client:
        while (up := seen(client)) != {"tier1": "1", "tier2": "1"}:
            assert time.monotonic() < deadline, f"not within {FIRST_FIGURES_SECONDS} s: {up}"
            time.sleep(1)


def seen(client: httpx.Client) -> dict[str, str]:
    """Which gateway's figures were read at the last attempt: "1" where they were."""
    answer = client.get("/api/v1/query", params={"query": 'up{job="gateway"}'})
    rows = answer.json()["data"]["result"] if answer.is_success else []
    return {row["metric"]["instance"]: row["value"][1] for row in rows}
