# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Traces on a node: one request is one trace, in which both tiers and the model are, and no credential is."""

from __future__ import annotations

import secrets
import typing as t

import httpx2
import pytest

from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.observed import asking, inventory

pytestmark = [machine.needed, pytest.mark.proves("L4", "observability")]

# From the model back to who asked.
_WAY = [
    f"isvc.{inventory.STEADY}-predictor.{inventory.OTHER}",
    f"tier2.{inventory.NAMESPACE}",
    f"tier1.{inventory.NAMESPACE}",
]


class Asked(t.NamedTuple):
    """A request by which its caller told of a trace.

    Attributes:
        trace: The trace's id.
        span: The caller's span.
    """

    trace: str
    span: str


def ask(platform: Platform, token: str, flags: str) -> Asked:
    """Ask the model as part of a trace."""
    made = Asked(secrets.token_hex(16), secrets.token_hex(8))
    headers = {"traceparent": f"00-{made.trace}-{made.span}-{flags}"}
    answer = asking.model(platform, token, inventory.STEADY, headers)
    assert answer.status_code == 200, answer.text
    return made


def spans(jaeger: httpx2.Client, trace: str) -> list[dict[str, t.Any]]:
    """Spans of a trace, each with the name of its service."""
    answer = jaeger.get(f"/api/traces/{trace}")
    if answer.status_code == httpx2.codes.NOT_FOUND:
        return []
    (found,) = answer.raise_for_status().json()["data"]
    return [
        {**span, "service": found["processes"][span["processID"]]["serviceName"]}
        for span in found["spans"]
    ]


def wait_for_all(jaeger: httpx2.Client, trace: str) -> list[dict[str, t.Any]]:
    """Wait until spans of the whole way are there."""

    def services() -> set[str]:
        return {span["service"] for span in spans(jaeger, trace)}

    asking.wait_until(lambda: services() >= set(_WAY), services)
    return spans(jaeger, trace)


def test_a_request_is_one_trace_of_both_tiers_and_the_model(
    platform: Platform, tokens: dict[str, str], jaeger: httpx2.Client
) -> None:
    token = tokens[inventory.OTHER]
    asked = ask(platform, token, "01")
    found = wait_for_all(jaeger, asked.trace)
    by_id = {span["spanID"]: span for span in found}
    (at,) = (span["spanID"] for span in found if span["service"] == _WAY[0])
    way = []
    while at in by_id:
        way.append(by_id[at]["service"])
        (reference,) = by_id[at]["references"]
        at = reference["spanID"]
    assert at == asked.span
    assert list(dict.fromkeys(way)) == _WAY
    for tier in _WAY[1:]:
        tags = [tag for span in found if span["service"] == tier for tag in span["tags"]]
        assert inventory.OTHER in {
            tag["value"] for tag in tags if tag["key"] == "inferencebox.tenant"
        }


def test_a_trace_holds_neither_a_credential_nor_what_was_asked(
    platform: Platform, tokens: dict[str, str], jaeger: httpx2.Client
) -> None:
    token = tokens[inventory.OTHER]
    said = str(wait_for_all(jaeger, ask(platform, token, "01").trace))
    assert token not in said
    assert str(inventory.INSTANCES[inventory.STEADY][0][-1]) not in said


def test_a_caller_who_wants_no_trace_has_none(
    platform: Platform, tokens: dict[str, str], jaeger: httpx2.Client
) -> None:
    token = tokens[inventory.OTHER]
    unwanted = ask(platform, token, "00")
    # Those of a later one are there, so that its own would be.
    wait_for_all(jaeger, ask(platform, token, "01").trace)
    assert spans(jaeger, unwanted.trace) == []
