# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 2 as rendered, in real proxies that a real istiod configures, judged by requests and by what they hold.

Pods are those that KServe made, with the sidecars that istiod put in; tier 2's gateway is Istio's own chart. In place of a
model server, a program answers with what it was asked.
"""

from __future__ import annotations

import collections
import ssl
import time
import typing as t

import httpx
import pytest

from tests.cluster.installed import Installed

pytestmark = pytest.mark.proves("L3", "tier2", "tenants")

_SECONDS = 120.0
_MANY = 120
PREDICT = "/v1/models/iris:predict"


@pytest.fixture(scope="module")
def platform(installed: Installed) -> Installed:
    if installed.missing_proxies:
        pytest.skip(installed.missing_proxies)
    return installed


class Asked(t.NamedTuple):
    status: int
    body: str
    pod: str


def ask(
    platform: Installed,
    host: str = "iris.tenant-a.inference.example.org",
    path: str = PREDICT,
    certificate: str | None = "tier1-client",
    **headers: str,
) -> Asked:
    """Ask tier 2 as tier 1 does, on a connection of its own."""
    trust = ssl.create_default_context(cafile=str(platform.authority.certificate))
    if certificate:
        files = platform.directory / f"{certificate}.crt", platform.directory / f"{certificate}.key"
        trust.load_cert_chain(*files)
    server = "tier2.inferencebox-system.svc.cluster.local"
    address = platform.address("inferencebox-system", "istio=tier2")
    sent = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    with httpx.Client(verify=trust, trust_env=False, timeout=30.0) as client:
        answer = client.post(
            f"https://{address}:8443{path}",
            headers=sent,
            content=b"{}",
            extensions={"sni_hostname": server},
        )
    pod = (
        answer.json().get("pod", "")
        if answer.headers.get("content-type") == "application/json"
        else ""
    )
    return Asked(answer.status_code, answer.text, pod)


@pytest.fixture(scope="module", autouse=True)
def answering(platform: Installed) -> None:
    """Wait until tier 2 knows the model's servers."""
    deadline = time.monotonic() + _SECONDS
    while (answer := _tried(platform)) != 200:
        assert time.monotonic() < deadline, f"tier 2 answers {answer}"
        time.sleep(0.5)


def _tried(platform: Installed) -> int | str:
    try:
        return ask(platform, x_tenant_id="tenant-a").status
    except httpx.TransportError as error:
        return str(error)


def version(pod: str) -> str:
    """Which InferenceService's version a pod is of."""
    return "canary" if "-canary-" in pod else "mirror" if "-mirror-" in pod else "stable"


def test_tier_1_with_a_tenant_that_may_is_answered(platform: Installed) -> None:
    answer = ask(platform, x_tenant_id="tenant-a")
    assert answer.status == 200
    assert answer.pod.startswith("iris")
    assert ask(platform, x_tenant_id="tenant-c").status == 200


@pytest.mark.parametrize("headers", [{}, {"x_tenant_id": "tenant-b"}, {"x_tenant_id": "tenant"}])
def test_a_tenant_that_may_not_is_refused(platform: Installed, headers: dict[str, str]) -> None:
    assert ask(platform, **headers).status == 403


def test_only_tier_1_is_let_in(platform: Installed) -> None:
    """Another certificate of the same authority has another identity; none ends the handshake."""
    assert ask(platform, certificate="tier2-server", x_tenant_id="tenant-a").status == 403
    with pytest.raises(httpx.TransportError):
        ask(platform, certificate=None, x_tenant_id="tenant-a")


def test_a_host_that_no_model_has_is_refused(platform: Installed) -> None:
    for host in ("iris.tenant-b.inference.example.org", "other.tenant-a.inference.example.org"):
        assert ask(platform, host, x_tenant_id="tenant-a").status in (403, 404)


def test_requests_are_split_by_weight(platform: Installed) -> None:
    """30 percent of the requests, by chance: far from none and from half."""
    host = "forest.tenant-b.inference.example.org"
    found = collections.Counter(
        version(ask(platform, host, x_tenant_id="tenant-b").pod) for _ in range(_MANY)
    )
    assert set(found) == {"stable", "canary"}
    # Beyond five standard deviations (15 of 120) on either side something else than chance decides.
    assert 0.09 * _MANY < found["canary"] < 0.51 * _MANY


def test_a_cohort_meets_one_version(platform: Installed) -> None:
    users = [f"user-{number}" for number in range(40)]
    first = {user: _version_of(platform, user) for user in users}
    assert {user: _version_of(platform, user) for user in users} == first
    assert set(first.values()) == {"stable", "canary"}


def _version_of(platform: Installed, user: str) -> str:
    return version(ask(platform, x_tenant_id="tenant-a", x_user_id=user).pod)


def test_the_mirror_gets_copies_and_answers_nobody(platform: Installed) -> None:
    mark = f"copy-{time.monotonic_ns()}"
    assert version(ask(platform, x_tenant_id="tenant-a", x_mark=mark).pod) != "mirror"
    deadline = time.monotonic() + _SECONDS
    while not any(
        one["headers"].get("x-mark") == mark for one in platform.asked("tenant-a", "iris-mirror")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_model_server_takes_nothing_but_what_tier_2_sends(platform: Installed) -> None:
    """In plain text, from wherever: the sidecar speaks with certificates of the mesh alone."""
    address = platform.address("tenant-a", "serving.kserve.io/inferenceservice=iris")
    with pytest.raises(httpx.TransportError), httpx.Client(trust_env=False) as client:
        client.post(f"http://{address}:8080{PREDICT}", content=b"{}")


def test_proxies_took_all_that_istiod_gave(platform: Installed) -> None:
    """A rejected configuration leaves the one before in force: a new denial would not act."""
    rejected: dict[str, str] = {}
    for pod in platform.proxies():
        text = platform.admin(pod, "/stats?filter=update_rejected$")
        rows = dict(line.split(": ") for line in text.strip().splitlines())
        rejected |= {f"{pod['metadata']['name']} {n}": v for n, v in rows.items() if v != "0"}
    assert rejected == {}
