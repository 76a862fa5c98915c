# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Model servers run, each as its tenant, on a socket that only tier 2 and the tenant reach."""

from __future__ import annotations

import json
import typing as t

import httpx
import pytest

MODELS = (("tenant-a", "iris"), ("tenant-b", "smollm2"))
each_model = pytest.mark.parametrize(("tenant", "model"), MODELS)


@pytest.fixture
def socket_of(host: t.Any, instance: t.Any) -> t.Callable[[str, str], str]:
    """Reads where tier 2 finds a model's only replica."""

    def read(tenant: str, model: str) -> str:
        file = host.file(instance.path(f"tier2/endpoints/{tenant}.{model}.json"))
        (assignment,) = json.loads(file.content_string)["resources"]
        ((endpoint,),) = [each["lb_endpoints"] for each in assignment["endpoints"]]
        return str(endpoint["endpoint"]["address"]["pipe"]["path"])

    return read


@each_model
def test_one_process_serves_a_model_as_its_tenant(
    tenant: str, model: str, instance: t.Any, processes: t.Any
) -> None:
    servers = [
        process
        for process in processes()
        if "inferencebox.serving" in process.command and f".{model}." in process.command[-1]
    ]
    assert [server.user for server in servers] == [instance.user(f"t-{tenant}")]


@each_model
def test_only_the_tenant_and_tier_2_reach_its_socket(
    tenant: str,
    model: str,
    host: t.Any,
    instance: t.Any,
    socket_of: t.Any,
    described: t.Any,
    owned: t.Any,
) -> None:
    socket = socket_of(tenant, model)
    assert host.file(socket).is_socket
    name = socket.removeprefix(f"{instance.home}/")
    assert described(name) == owned(f"t-{tenant}", "tier2", "0660")


@each_model
def test_it_answers_nobody_without_its_secret(
    tenant: str, model: str, host: t.Any, instance: t.Any, socket_of: t.Any
) -> None:
    secret = host.file(instance.path(f"replicas/{tenant}/{model}.secret")).content_string
    transport = httpx.HTTPTransport(uds=socket_of(tenant, model))
    with httpx.Client(transport=transport, base_url="http://model") as client:
        credential = {"authorization": f"Bearer {secret}"}
        assert client.get("/v1/models").status_code == httpx.codes.UNAUTHORIZED
        assert client.get("/v1/models", headers=credential).status_code == httpx.codes.OK


def test_model_servers_open_no_port(instance: t.Any, listening: t.Any) -> None:
    assert listening() == {f"127.0.0.1:{instance.ports[0]}", f"127.0.0.1:{instance.ports[2]}"}


@each_model
def test_its_logs_are_the_installer_s(
    tenant: str, model: str, host: t.Any, instance: t.Any, described: t.Any, owned: t.Any
) -> None:
    logs = host.file(instance.path("logs")).listdir()
    own = [f"logs/{name}" for name in logs if name.startswith(f"model.{tenant}.{model}.")]
    assert own
    for name in own:
        assert described(name) == owned("installer", "installer", "0640")


def test_what_was_applied_is_written_down(
    host: t.Any, instance: t.Any, described: t.Any, owned: t.Any
) -> None:
    states = json.loads(host.file(instance.path("state/models.json")).content_string)
    assert {name: state["ready"] for name, state in states.items()} == {
        "iris": True,
        "smollm2": True,
    }
    assert described("state/models.json") == owned("installer", "installer", "0600")
    assert described("state/inventory.json") == owned("installer", "installer", "0600")
    assert described("platform.json") == owned("installer", "installer", "0644")
