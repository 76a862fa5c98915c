# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The benchmark's clients against a server of known behaviour: what they count, not how long it takes."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest

from bench import closed_loop, paced, streams
from bench.endpoint import Endpoint, Request
from bench.errors import BenchError

from .server import EVENTS, MERGED, Server

GOOD = Request("good", "GET", "/good")
BROKEN = Request("broken", "GET", "/broken")
STREAM = Request("stream", "POST", "/stream", {"stream": True})


@pytest.fixture
def endpoint(tmp_path: Path) -> t.Iterator[Endpoint]:
    with Server(path := tmp_path / "s"):
        yield Endpoint("direct", "model", "right", unix=str(path))


def test_a_fixed_rate_sends_each_request_of_its_time(endpoint: Endpoint) -> None:
    row = paced.measure(endpoint, GOOD, connections=4, rate=100.0, seconds=0.4)
    assert (row["answers"], row["failed"]) == (40, 0)
    assert row["p50_ms"] <= row["p99_ms"]


def test_a_rate_that_nothing_answers_is_no_measurement(endpoint: Endpoint) -> None:
    with pytest.raises(BenchError, match="broken over direct was never answered"):
        paced.measure(endpoint, BROKEN, connections=1, rate=50.0, seconds=0.1)


def test_a_stream_is_told_by_its_events_and_the_reads_that_brought_them(endpoint: Endpoint) -> None:
    one = streams.measure(endpoint, STREAM)
    assert one["events"] == EVENTS
    assert one["reads"] <= EVENTS - MERGED + 1
    assert len(one["gaps_ms"]) == one["reads"] - 1


def test_an_answer_that_is_no_stream_says_what_it_is(endpoint: Endpoint) -> None:
    with pytest.raises(BenchError, match="was answered 500: no"):
        streams.measure(endpoint, BROKEN)


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_a_closed_loop_leaves_only_the_warm_up_out(endpoint: Endpoint) -> None:
    row = closed_loop.measure(endpoint, GOOD, connections=2, requests=100)
    assert (row["answers"], row["failed"]) == (95, 0)
    assert row["rps"] > 0


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_a_closed_loop_with_a_wrong_credential_is_no_measurement(endpoint: Endpoint) -> None:
    wrong = Endpoint("direct", "model", "wrong", unix=endpoint.unix)
    with pytest.raises(BenchError, match="status 401"):
        closed_loop.measure(wrong, GOOD, connections=1, requests=10)


def test_a_credential_is_not_shown_by_accident(endpoint: Endpoint) -> None:
    assert "right" not in repr(endpoint)
