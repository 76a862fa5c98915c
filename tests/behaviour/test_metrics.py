# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's figures: there for its operator, with the labels by which they are read, and for nobody else."""

from __future__ import annotations

import json
import ssl
import time
import typing as t
from pathlib import Path

import httpx2
import pytest

from . import processes
from .client import Caller
from .platform_json import Platform

_SCRAPED_WITHIN_SECONDS = 60.0


@pytest.fixture(scope="module")
def figures(home: Path) -> dict[str, str]:
    """Where the figures are, and with which certificate they are read."""
    found = json.loads((home / "platform.json").read_text(encoding="utf-8"))["observability"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def operator(platform: Platform, figures: dict[str, str]) -> t.Iterator[httpx2.Client]:
    """Who installed the platform."""
    certificate = (figures["client_certificate"], figures["client_key"])
    with _client(platform, *certificate) as client:
        yield client


def _client(platform: Platform, *certificate: str) -> httpx2.Client:
    context = ssl.create_default_context(cafile=str(platform.ca_file))
    if certificate:
        context.load_cert_chain(*certificate)
    return httpx2.Client(verify=context, trust_env=False, timeout=20)


def test_without_a_certificate_nothing_is_shown(
    platform: Platform, figures: dict[str, str], home: Path
) -> None:
    urls = [f"{figures['metrics_url']}/tier1"]
    if processes.find(home, "prometheus"):
        urls.append(f"{figures['prometheus_url']}/metrics")
    for url in urls:
        with _client(platform) as stranger, pytest.raises(httpx2.TransportError):
            stranger.get(url)


def test_a_tiers_own_certificate_reads_nothing(
    platform: Platform, figures: dict[str, str], home: Path
) -> None:
    certificate = home / "pki" / "tier1" / "client"
    with (
        _client(platform, f"{certificate}.crt", f"{certificate}.key") as tier1,
        pytest.raises(httpx2.TransportError),
    ):
        tier1.get(f"{figures['metrics_url']}/tier2")


@pytest.mark.parametrize(
    "path", ["/", "/stats", "/quitquitquit", "/config_dump", "/tier1/../stats"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_gateways_admin_interface_is_out_of_reach(
    operator: httpx2.Client, figures: dict[str, str], method: str, path: str
) -> None:
    answer = operator.request(method, figures["metrics_url"] + path)
    assert answer.status_code == 404, answer.text[:200]
    assert operator.post(f"{figures['metrics_url']}/tier1").status_code == 404


def test_tier1_counts_who_calls_which_model(
    platform: Platform,
    callers: dict[str, Caller],
    operator: httpx2.Client,
    figures: dict[str, str],
) -> None:
    for tenant, caller in callers.items():
        for model in platform.usable_by(tenant):
            labels = {"tenant": tenant, "owner": model.owner, "model": model.name}
            before = _count(_page(operator, figures, "/tier1"), "rq_completed", labels)
            assert caller.post(model.example_path, model.example_body).status_code == 200
            after = _count(_page(operator, figures, "/tier1"), "rq_completed", labels)
            assert after >= before + 1, labels


def test_tier2_counts_each_models_requests(
    platform: Platform, operator: httpx2.Client, figures: dict[str, str]
) -> None:
    page = _page(operator, figures, "/tier2")
    for model in platform.models.values():
        labels = {"tenant": model.owner, "model": model.name}
        assert _count(page, "cluster_upstream_rq_completed", labels) >= 1, labels


def test_prometheus_reads_every_part_of_the_platform(
    platform: Platform, operator: httpx2.Client, figures: dict[str, str], home: Path
) -> None:
    if not processes.find(home, "prometheus"):
        pytest.skip("this platform has no Prometheus; `inferencebox status` says why")
    wanted = {"tier1", "tier2", "prometheus", *platform.models}
    deadline = time.monotonic() + _SCRAPED_WITHIN_SECONDS
    while True:
        answer = operator.get(
            f"{figures['prometheus_url']}/api/v1/query", params={"query": "up == 1"}
        )
        found = [row["metric"] for row in answer.json()["data"]["result"]]
        seen = {each.get("model", each["instance"]) for each in found}
        if wanted <= seen:
            break
        assert time.monotonic() < deadline, f"not scraped: {wanted - seen}"
        time.sleep(1)


def _page(operator: httpx2.Client, figures: dict[str, str], path: str) -> list[str]:
    answer = operator.get(figures["metrics_url"] + path)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def _count(page: t.Sequence[str], name: str, labels: t.Mapping[str, str]) -> float:
    """Sum of the lines of Prometheus' text format whose name ends so and that carry all labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        float(line.rpartition(" ")[2])
        for line in page
        if line.partition("{")[0].endswith(name) and all(label in line for label in wanted)
    )
