# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus on a node: it reads every part, tells requests by tenant and model, and answers whom the mesh lets in."""

from __future__ import annotations

import httpx2
import pytest

from tests.behaviour.platform_json import Platform
from tests.node import machine, scaled
from tests.node.observed import asking, inventory
from tests.node.own_node import OwnNode

pytestmark = [machine.needed, pytest.mark.proves("L4", "observability")]


def test_it_reads_both_tiers_models_and_components(prometheus: httpx2.Client) -> None:
    jobs = {
        f"{inventory.NAMESPACE}/{name}"
        for name in ("tier1", "tier2", "models", "cert-manager", "kube-state-metrics")
    }
    jobs.add("istiod")

    def states() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in asking.query(prometheus, "up"):
            found.setdefault(row["metric"]["job"], set()).add(row["value"][1])
        return found

    asking.wait_until(lambda: states() == {job: {"1"} for job in jobs}, states)
    (model,) = asking.query(
        prometheus, f'up{{job="{inventory.NAMESPACE}/models", model="{inventory.STEADY}"}}'
    )
    assert model["metric"]["tenant"] == inventory.OTHER


def test_a_request_through_tier_1_shows_with_its_tenant_and_its_model(
    platform: Platform, tokens: dict[str, str], prometheus: httpx2.Client
) -> None:
    asked = (
        "tenant_model_class:inferencebox_requests:rate5m"
        f'{{tenant="{inventory.OTHER}", model="{inventory.STEADY}", response_code_class="2xx"}} > 0'
    )

    def shown() -> bool:
        answer = asking.model(platform, tokens[inventory.OTHER], inventory.STEADY)
        assert answer.status_code == 200, answer.text
        return bool(asking.query(prometheus, asked))

    asking.wait_until(shown, lambda: asking.query(prometheus, '{__name__=~"tenant_model.*"}'))


def test_its_rules_are_the_platforms_and_all_of_them_work(prometheus: httpx2.Client) -> None:
    def healths() -> dict[str, set[str]]:
        answer = prometheus.get("/api/v1/rules").raise_for_status()
        return {
            group["name"]: {rule["health"] for rule in group["rules"]}
            for group in answer.json()["data"]["groups"]
        }

    wanted = {name: {"ok"} for name in ("inferencebox.figures", "inferencebox.alerts")}
    asking.wait_until(lambda: healths() == wanted, healths)


def test_certificates_are_known_by_their_own_namespace(prometheus: httpx2.Client) -> None:
    """Else the alert on those that were not renewed could not find them."""
    figure = (
        f'certmanager_certificate_expiration_timestamp_seconds{{namespace="{inventory.NAMESPACE}"}}'
    )
    asking.wait_until(lambda: bool(asking.query(prometheus, figure)), lambda: figure)


_ASK = """
import json, urllib.error, urllib.request
found = {}
for url in URLS:
    try:
        with urllib.request.urlopen(f"http://{url}", timeout=10) as answer:
            found[url] = answer.status
    except urllib.error.HTTPError as error:
        found[url] = error.code
    except OSError as error:
        found[url] = str(error)
print(json.dumps(found))
"""


@pytest.mark.parametrize("mesh", [False, True], ids=["without-identity", "with-an-identity"])
def test_a_tenants_pod_gets_no_answer_of_it_nor_of_what_it_alerts_by(
    node: OwnNode, pod: scaled.Object, *, mesh: bool
) -> None:
    prometheus = pod["status"]["podIP"]
    alertmanager, states = (
        asking.pod(node, name)["status"]["podIP"] for name in ("alertmanager", "kube-state-metrics")
    )
    # Of the first two also the port of what makes them read their files again.
    urls = [
        f"{prometheus}:{inventory.PROMETHEUS_PORT}/api/v1/query?query=up",
        f"prometheus-operated.monitoring.svc.cluster.local:{inventory.PROMETHEUS_PORT}/metrics",
        f"{prometheus}:8080/metrics",
        f"{alertmanager}:{inventory.ALERTMANAGER_PORT}/api/v2/alerts",
        f"alertmanager-operated.monitoring.svc.cluster.local:{inventory.ALERTMANAGER_PORT}/metrics",
        f"{alertmanager}:8080/metrics",
        f"{states}:{inventory.STATES_PORT}/metrics",
        f"kube-state-metrics.monitoring.svc.cluster.local:{inventory.STATES_PORT}/metrics",
    ]
    code = f"URLS = {urls!r}\n{_ASK}"
    answers = scaled.run(node, f"curious-{str(mesh).lower()}", code, mesh=mesh)
    assert set(answers) == set(urls)
    assert 200 not in answers.values(), answers


def test_the_api_server_lets_nobody_past_the_mesh(node: OwnNode, pod: scaled.Object) -> None:
    """Its proxy speaks plain HTTP, which the pod does not take."""
    place = f"/api/v1/namespaces/monitoring/pods/{pod['metadata']['name']}"
    proxied = f"{place}:{inventory.PROMETHEUS_PORT}/proxy/api/v1/query?query=up"
    assert node.kubectl("get", "--raw", place).returncode == 0
    assert node.kubectl("get", "--raw", proxied).returncode != 0


def test_a_second_run_changes_nothing(node: OwnNode) -> None:
    assert node.play("site.yml") == 0
