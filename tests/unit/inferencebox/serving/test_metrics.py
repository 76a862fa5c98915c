# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which requests are counted, and as what; that a replica shows the counters, test_predictive.py tells."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .in_runtime import evaluate

_SETUP = """
import asyncio
from pathlib import Path
from prometheus_client import REGISTRY
from inferencebox.serving.metrics import RequestMetrics
from inferencebox.serving.spec import ReplicaSpec

spec = ReplicaSpec(name="iris", tenant="tenant-a", version="2", framework="sklearn", artifact=Path("x"),
                   socket=Path("x.sock"), credential_file=Path("x"), apis=("v1", "v2"))

def counted(path, status=200, kind="http"):
    def now():
        return {tuple(sorted(sample.labels.items())): sample.value for family in REGISTRY.collect()
                for sample in family.samples if sample.name == "inferencebox_requests_total"}
    async def app(scope, receive, send):
        if status is None:
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    async def send(message):
        pass
    before = now()
    try:
        asyncio.run(RequestMetrics(app, spec)({"type": kind, "path": path}, None, send))
    except RuntimeError:
        pass
    return [[dict(labels)["protocol"], dict(labels)["code"], value - before.get(labels, 0)]
            for labels, value in now().items() if value != before.get(labels, 0)]

def timed():
    labels = {"tenant": "tenant-a", "model": "iris", "version": "2", "protocol": "v1"}
    return REGISTRY.get_sample_value("inferencebox_request_duration_seconds_count", labels)
"""
_CASES: dict[str, tuple[str, t.Any]] = {
    "V1 predict": ("counted('/v1/models/iris:predict')", [["v1", "200", 1.0]]),
    "V1 explain": ("counted('/v1/models/iris:explain', 501)", [["v1", "501", 1.0]]),
    "V2 infer": ("counted('/v2/models/iris/infer')", [["v2", "200", 1.0]]),
    "a refusal": ("counted('/v2/models/iris/infer', 400)", [["v2", "400", 1.0]]),
    "a failure without an answer": (
        "counted('/v1/models/iris:predict', None)",
        [["v1", "500", 1.0]],
    ),
    "health is not counted": ("counted('/v2/models/iris/ready')", []),
    "metadata is not counted": ("counted('/v2/models/iris')", []),
    "metrics are not counted": ("counted('/metrics')", []),
    "start and stop are not counted": ("counted('/v1/models/iris:predict', kind='lifespan')", []),
    # After the three above.
    "each is timed": ("timed()", 3.0),
}


@pytest.fixture(scope="module")
def found(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """What became of each expression, in order."""
    cases = {name: case[0] for name, case in _CASES.items()}
    place = tmp_path_factory.mktemp("metrics")
    return dict(evaluate(python, _SETUP, cases, place))


@pytest.mark.parametrize("name", _CASES)
def test_inference_is_counted_once_by_protocol_and_code(found: dict[str, t.Any], name: str) -> None:
    assert found[name] == {"value": _CASES[name][1]}
