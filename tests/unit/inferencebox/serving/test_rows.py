# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows of both protocols for models of every kind; that a replica answers with them, test_predictive.py shows."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .in_runtime import evaluate

_SETUP = """
import numpy as np
from kserve import InferInput, InferRequest
from inferencebox.serving.frameworks import LoadedModel
from inferencebox.serving import rows

def model(features=2, columns=None, as_frame=False, **more):
    return LoadedModel(outputs={"predict": None, "predict_proba": None}, features=features,
                       columns=columns, as_frame=as_frame, output_types={"predict": ("FP64", [-1])}, **more)

plain, named = model(), model(columns=("a", "b"))
frame, free = model(columns=("a", "b"), as_frame=True), model(features=None)

def v1(body, of=plain):
    made = rows.rows_of_v1(body, of)
    return [list(made.columns), made.values.tolist()] if of.as_frame else made.tolist()

def tensor(name, shape, data, datatype="FP64"):
    return InferInput(name=name, shape=shape, datatype=datatype, data=data)

def v2(*tensors, of=plain):
    made = rows.rows_of_v2(InferRequest(model_name="m", infer_inputs=list(tensors)), of)
    return [list(made.columns), made.values.tolist()] if of.as_frame else made.tolist()

def answer(values, request_id="7"):
    request = InferRequest(model_name="m", request_id=request_id, infer_inputs=[])
    made = rows.answer_v2(request, {"predict": values}, "3")
    (output,) = made.outputs
    return [made.id, made.model_name, made.model_version, output.datatype, output.shape, np.asarray(output.data).tolist()]
"""

# Expression, and the value or the part of an error that is expected.
_GOOD: dict[str, tuple[str, t.Any]] = {
    "lists": ("v1({'instances': [[1, 2], [3, 4]]})", [[1, 2], [3, 4]]),
    "inputs means instances": ("v1({'inputs': [[1, 2]]})", [[1, 2]]),
    "null is a missing number": ("str(v1({'instances': [[1, 2.5]]}))", "[[1.0, 2.5]]"),
    "objects in any order": (
        "v1({'instances': [{'b': 2, 'a': 1}, {'a': 3, 'b': 4}]}, named)",
        [[1, 2], [3, 4]],
    ),
    "lists for a model with names": ("v1({'instances': [[1, 2]]}, named)", [[1, 2]]),
    "objects become a frame": (
        "v1({'instances': [{'b': 'x', 'a': 1}]}, frame)",
        [["a", "b"], [[1, "x"]]],
    ),
    "lists become a frame": ("v1({'instances': [[1, 'x']]}, frame)", [["a", "b"], [[1, "x"]]]),
    "any width where the model does not say": ("v1({'instances': [[1, 2, 3]]}, free)", [[1, 2, 3]]),
    "one tensor": ("v2(tensor('x', [2, 2], [1.0, 2.0, 3.0, 4.0]))", [[1, 2], [3, 4]]),
    "one tensor for a model with names": (
        "v2(tensor('x', [1, 2], [1.0, 2.0]), of=named)",
        [[1, 2]],
    ),
    "columns in any order": (
        "v2(tensor('b', [2, 1], [2.0, 4.0]), tensor('a', [2], [1.0, 3.0]), of=named)",
        [[1, 2], [3, 4]],
    ),
    "columns of text become a frame": (
        "v2(tensor('b', [1], ['x'], 'BYTES'), tensor('a', [1], [1.0]), of=frame)",
        [["a", "b"], [[1, "x"]]],
    ),
    "numbers in an answer": (
        "answer(np.array([[0.5, 0.25]]))",
        ["7", "m", "3", "FP64", [1, 2], [[0.5, 0.25]]],
    ),
    "text in an answer": (
        "answer(np.array(['red', 'blue']))",
        ["7", "m", "3", "BYTES", [2], ["red", "blue"]],
    ),
    "an answer always has an id": ("len(answer(np.array([1]), None)[0])", 36),
    "the first output unless another is asked": (
        "rows.requested(InferRequest(model_name='m', infer_inputs=[]), plain)",
        ["predict"],
    ),
    "inputs of a matrix": (
        "rows.input_types(plain)",
        [{"name": "input-0", "datatype": "FP64", "shape": [-1, 2]}],
    ),
    "inputs of any width": (
        "rows.input_types(free)",
        [{"name": "input-0", "datatype": "FP64", "shape": [-1, -1]}],
    ),
    "inputs by name": (
        "rows.input_types(named)",
        [
            {"name": "a", "datatype": "FP64", "shape": [-1, 1]},
            {"name": "b", "datatype": "FP64", "shape": [-1, 1]},
        ],
    ),
}
_BAD: dict[str, tuple[str, str]] = {
    "no object": ("v1([1])", 'a JSON object with "instances"'),
    "objects for a model without names": (
        "v1({'instances': [{'a': 1}]})",
        "columns have no names",
    ),
    "a column is missing": ("v1({'instances': [{'a': 1}]}, named)", "row 0 lacks 'b'"),
    "a column is too much": (
        "v1({'instances': [{'a': 1, 'b': 2, 'c': 3}]}, named)",
        "row 0 has 'c', which the model does not know",
    ),
    "many columns are missing": (
        "v1({'instances': [{}]}, model(features=7, columns=tuple('abcdefg')))",
        "row 0 lacks 'a', 'b', 'c', 'd', 'e' and 2 more",
    ),
    "a list after an object": (
        "v1({'instances': [{'a': 1, 'b': 2}, [1, 2]]}, named)",
        "row 1 must be an object",
    ),
    "an object after a list": ("v1({'instances': [[1, 2], {'a': 1}]})", "row 1 must be a list"),
    "rows of different width": (
        "v1({'instances': [[1, 2], [1]]}, free)",
        "not a matrix of numbers",
    ),
    "a frame too wide": ("v1({'instances': [[1, 2, 3]]}, frame)", "row 0 has 3 values"),
    "two tensors for a model without names": (
        "v2(tensor('a', [1], [1.0]), tensor('b', [1], [1.0]))",
        "columns have no names",
    ),
    "one of two columns": ("v2(tensor('a', [1], [1.0]), of=named)", "inputs lacks 'b'"),
    "columns of different length": (
        "v2(tensor('a', [1], [1.0]), tensor('b', [2], [1.0, 2.0]), of=named)",
        "differ in length",
    ),
    "a tensor of three dimensions": (
        "v2(tensor('x', [1, 1, 2], [1.0, 2.0]))",
        "expected shape [rows, 2], got [1, 1, 2]",
    ),
    "no rows": ("v2(tensor('x', [0, 2], []))", "at least one row"),
    "a negative shape": ("v2(tensor('x', [-1, 2], [1.0, 2.0]))", "has the shape [-1, 2]"),
    "an element type that V2 has not": (
        "answer(np.array([1 + 2j]))",
        "has element type complex128",
    ),
}


@pytest.fixture(scope="module")
def found(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """What became of each expression."""
    cases = {name: case[0] for name, case in (_GOOD | _BAD).items()}
    place = tmp_path_factory.mktemp("rows")
    return dict(evaluate(python, _SETUP, cases, place))


@pytest.mark.parametrize("name", _GOOD)
def test_what_fits_becomes_rows_or_an_answer(found: dict[str, t.Any], name: str) -> None:
    assert found[name] == {"value": _GOOD[name][1]}


@pytest.mark.parametrize("name", _BAD)
def test_what_does_not_fit_is_said(found: dict[str, t.Any], name: str) -> None:
    assert _BAD[name][1] in found[name]["error"], found[name]
