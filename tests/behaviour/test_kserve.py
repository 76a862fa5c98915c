# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Predictive models speak KServe's V1 and V2 (Open Inference Protocol)."""

from __future__ import annotations

import typing as t

import pytest

from .client import Caller
from .errors import check_error
from .platform_json import Model, Platform
from .requests_table import NONEXISTENT, v2_input

# One flower of each species, far from the borders (R. A. Fisher, 1936): setosa, versicolor, virginica.
_FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 4.2, 1.3], [6.7, 3.1, 5.6, 2.4]]
_SPECIES = [0, 1, 2]

Served = list[tuple[Caller, Model]]


@pytest.fixture(scope="module")
def v1(platform: Platform, callers: dict[str, Caller]) -> Served:
    """Callers and models that speak V1."""
    return _served(platform, callers, "v1")


@pytest.fixture(scope="module")
def v2(platform: Platform, callers: dict[str, Caller]) -> Served:
    """Callers and models that speak V2."""
    return _served(platform, callers, "v2")


@pytest.fixture(scope="module")
def iris(v1: Served) -> Served:
    """Those who may use the iris classifier."""
    found = [(caller, model) for caller, model in v1 if model.name == "iris"]
    if not found:
        pytest.skip("this platform serves no iris classifier")
    return found


def _served(platform: Platform, callers: dict[str, Caller], api: str) -> Served:
    served = [(callers[tenant], model) for tenant, model in platform.pairs(api)]
    if not served:
        pytest.skip(f"no model of this platform speaks {api}")
    return served


def test_v1_predicts_one_value_a_row(v1: Served) -> None:
    for caller, model in v1:
        answer = caller.post(f"/v1/models/{model.name}:predict", {"instances": _rows(model)})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["predictions"]) == len(_rows(model))


def test_v1_tells_the_species_apart(iris: Served) -> None:
    for caller, model in iris:
        answer = caller.post(f"/v1/models/{model.name}:predict", {"instances": _FLOWERS})
        assert answer.json()["predictions"] == _SPECIES


def test_v1_answers_in_the_order_of_its_rows(iris: Served) -> None:
    for caller, model in iris:
        body = {"instances": _FLOWERS[::-1] * 3}
        answer = caller.post(f"/v1/models/{model.name}:predict", body)
        assert answer.json()["predictions"] == _SPECIES[::-1] * 3


def test_v2_tells_the_species_apart(iris: Served) -> None:
    for caller, model in iris:
        answer = caller.post(f"/v2/models/{model.name}/infer", {"inputs": [v2_input(_FLOWERS)]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["outputs"][0]["data"] == _SPECIES


def test_v2_is_ready(v2: Served) -> None:
    for caller, model in v2:
        answer = caller.get(f"/v2/models/{model.name}/ready")
        assert answer.status_code == 200, answer.text


def test_v2_metadata_names_the_model(v2: Served) -> None:
    for caller, model in v2:
        answer = caller.get(f"/v2/models/{model.name}")
        assert answer.status_code == 200, answer.text
        metadata = answer.json()
        assert metadata["name"] == model.name
        assert isinstance(metadata["inputs"], list)
        assert isinstance(metadata["outputs"], list)


def test_v2_repeats_the_request_id_and_names_its_outputs(v2: Served) -> None:
    for caller, model in v2:
        body = {"id": "my-id", "inputs": [v2_input(_rows(model))]}
        answer = caller.post(f"/v2/models/{model.name}/infer", body)
        assert answer.status_code == 200, answer.text
        inferred = answer.json()
        assert inferred["model_name"] == model.name
        assert inferred["id"] == "my-id"
        output = inferred["outputs"][0]
        assert output["shape"][0] == len(_rows(model))
        assert {"name", "datatype", "data"} <= set(output)


def test_v1_and_v2_agree(v1: Served) -> None:
    for caller, model in v1:
        if "v2" not in model.apis:
            continue
        rows = _rows(model)
        one = caller.post(f"/v1/models/{model.name}:predict", {"instances": rows})
        two = caller.post(f"/v2/models/{model.name}/infer", {"inputs": [v2_input(rows)]})
        assert _flat(one.json()["predictions"]) == pytest.approx(two.json()["outputs"][0]["data"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b'{"instances": null}',
        b'{"instances": "text"}',
        b'{"instances": 1}',
        b'{"instances": [["a", "b", "c", "d"]]}',
        b'{"instances": [[1, 2]]}',
        b'{"instances": [[1, 2, 3, 4], [1]]}',
        b'{"instances": [{"no": "such column"}]}',
        b"\xff\xfe\x00",
        b'{"instances": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    ],
)
def test_a_malformed_v1_body_is_a_bad_request(iris: Served, content: bytes) -> None:
    for caller, model in iris:
        path = f"/v1/models/{model.name}:predict"
        check_error(caller.send("POST", path, content=content), path, 400)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{}",
        b'{"inputs": []}',
        b'{"inputs": {}}',
        b'{"inputs": [{}]}',
        b'{"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "shape": [1, 4], "datatype": "NONE", "data": [1, 2, 3, 4]}]}',
        b'{"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": ["a", 1, 1, 1]}]}',
        b'{"inputs": [{"name": "x", "shape": [-1, 4], "datatype": "FP64", "data": [1, 2, 3, 4]}]}',
        b'{"inputs": [{"name": "x", "shape": "1", "datatype": "FP64", "data": [1, 2, 3, 4]}]}',
        b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}',
    ],
)
def test_a_malformed_v2_body_is_a_bad_request(iris: Served, content: bytes) -> None:
    for caller, model in iris:
        path = f"/v2/models/{model.name}/infer"
        check_error(caller.send("POST", path, content=content), path, 400)


def test_a_model_that_does_not_exist_is_not_found(v1: Served) -> None:
    for method, path in (
        ("POST", f"/v1/models/{NONEXISTENT}:predict"),
        ("POST", f"/v2/models/{NONEXISTENT}/infer"),
        ("GET", f"/v2/models/{NONEXISTENT}"),
        ("GET", f"/v2/models/{NONEXISTENT}/ready"),
    ):
        caller, _ = v1[0]
        check_error(caller.send(method, path, body={} if method == "POST" else None), path, 404)


def test_a_mistake_leaves_the_model_well(iris: Served) -> None:
    for caller, model in iris:
        path = f"/v1/models/{model.name}:predict"
        assert caller.send("POST", path, content=b"{").status_code == 400
        assert caller.post(path, {"instances": _FLOWERS}).json()["predictions"] == _SPECIES


def _rows(model: Model) -> list[list[float]]:
    return t.cast("list[list[float]]", model.example_body.get("instances", _FLOWERS))


def _flat(values: list[t.Any]) -> list[float]:
    return [x for value in values for x in (value if isinstance(value, list) else [value])]
