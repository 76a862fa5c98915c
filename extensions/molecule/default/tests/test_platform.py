# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole platform: callers get their models through both gateways, and nothing of anybody else's."""

from __future__ import annotations

import collections
import json
import ssl
import subprocess
import typing as t

import httpx
import pytest

TENANTS = {"tenant-a": {"iris"}, "tenant-b": {"iris", "smollm2"}}
CHAT = {"model": "smollm2", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}
# A language model on a busy machine.
ANSWER_SECONDS = 60


@pytest.fixture(scope="module")
def description(instance: t.Any) -> dict[str, t.Any]:
    """What the platform says of itself."""
    with open(instance.path("platform.json"), encoding="utf-8") as file:
        return dict(json.load(file))


@pytest.fixture(scope="module")
def callers(description: dict[str, t.Any]) -> t.Iterator[dict[str, httpx.Client]]:
    """One identified caller for each tenant."""
    trusted = ssl.create_default_context(cafile=description["ca_file"])
    made = {}
    for tenant in TENANTS:
        command = [word.format(tenant=tenant) for word in description["token_command"]]
        token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        made[tenant] = httpx.Client(
            base_url=f"https://{description['connect_to']}",
            headers={"authorization": f"Bearer {token}"},
            verify=trusted,
            timeout=ANSWER_SECONDS,
        )
    yield made
    for client in made.values():
        client.close()


def test_every_part_runs_once_as_its_own_user(instance: t.Any, processes: t.Any) -> None:
    expected = ["installer", "installer", "tier1", "tier2", "t-tenant-a", "t-tenant-b"]
    # Whether Prometheus can be had is the machine's matter; the scenario of its role looks at it.
    running = [process.user for process in processes() if "prometheus" not in process.command[0]]
    assert collections.Counter(running) == collections.Counter(map(instance.user, expected))


def test_every_port_is_on_loopback(host: t.Any, instance: t.Any, listening: t.Any) -> None:
    assert host.socket(instance.gateway).is_listening
    assert listening() <= {f"127.0.0.1:{port}" for port in instance.ports}


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_sees_its_models_only(tenant: str, callers: dict[str, httpx.Client]) -> None:
    answer = callers[tenant].get("/v1/models")
    assert answer.status_code == httpx.codes.OK
    assert {model["id"] for model in answer.json()["data"]} == TENANTS[tenant]


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_classifier_answers_both_tenants(
    tenant: str, callers: dict[str, httpx.Client], description: dict[str, t.Any]
) -> None:
    example = description["models"]["iris"]["example"]
    answer = callers[tenant].post(example["path"], json=example["body"])
    assert (answer.status_code, answer.json()) == (httpx.codes.OK, {"predictions": [0]})


def test_the_language_model_answers_its_owner(callers: dict[str, httpx.Client]) -> None:
    answer = callers["tenant-b"].post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == httpx.codes.OK
    assert answer.json()["usage"]["completion_tokens"] > 0


def test_the_language_model_does_not_exist_for_others(callers: dict[str, httpx.Client]) -> None:
    answer = callers["tenant-a"].post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.json()["error"]["code"] == "model_not_found"
