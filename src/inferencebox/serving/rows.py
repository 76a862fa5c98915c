# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From the two KServe protocols to the rows a model takes, and back."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from kserve import InferInput, InferOutput, InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.utils.numpy_codec import from_np_dtype

from .frameworks import LoadedModel

# The name of the one tensor that an unnamed model takes, as the KServe runtimes call it.
TENSOR = "input-0"

_NAMES_SHOWN = 5


def rows_of_v1(body: Any, model: LoadedModel) -> Any:
    """Turn a V1 body into a matrix [rows, features].

    Args:
        body: `{"instances": [...]}` (or `inputs`), each row a list of values or an object of named values.
        model: What the rows are for.

    Raises:
        InvalidInput: The body does not fit the model; the text says which row and why.
    """
    if not isinstance(body, dict):
        raise InvalidInput('expected a JSON object with "instances"')
    rows = body.get("instances", body.get("inputs"))
    if not isinstance(rows, list) or not rows:
        raise InvalidInput('expected "instances": a list of at least one row')
    if isinstance(rows[0], dict):
        rows = [_ordered(row, model, index) for index, row in enumerate(rows)]
    for index, row in enumerate(rows):
        if not isinstance(row, list) and model.features is not None:
            raise InvalidInput(
                f"row {index} must be a list of {model.features} values, like the rows before it"
            )
        if model.features is not None and len(row) != model.features:
            raise InvalidInput(
                f"row {index} has {len(row)} values, the model takes {model.features}"
            )
    return _matrix(rows, model)


def rows_of_v2(request: InferRequest, model: LoadedModel) -> Any:
    """Turn a V2 request into a matrix [rows, features].

    One tensor of shape [rows, features] is taken as it is. Several tensors, or one that is named like a column, are
    the columns: each of shape [rows] or [rows, 1].

    Raises:
        InvalidInput: Names, shapes or values do not fit the model.
    """
    tensors = {tensor.name: tensor for tensor in request.inputs}
    if not tensors:
        raise InvalidInput('expected at least one tensor in "inputs"')
    if len(tensors) < len(request.inputs):
        raise InvalidInput('two tensors in "inputs" have the same name')
    if len(tensors) == 1 and not (
        model.columns and set(tensors) <= set(model.columns) and len(model.columns) > 1
    ):
        return _matrix(_array(request.inputs[0]), model)
    if model.columns is None:
        raise InvalidInput(
            f"expected one tensor of shape [rows, {model.features}]: this model's columns have no names"
        )
    _check_names(set(tensors), model.columns, "inputs")
    columns = [_array(tensors[name]).reshape(-1) for name in model.columns]
    if len({len(column) for column in columns}) > 1:
        raise InvalidInput("the columns differ in length")
    if model.as_frame:
        import pandas as pd

        return pd.DataFrame(dict(zip(model.columns, columns, strict=True)))
    return _matrix(np.column_stack(columns), model)


def answer_v2(request: InferRequest, outputs: dict[str, Any], version: str) -> InferResponse:
    """Put arrays into a V2 response, in binary where the request asks for it."""
    tensors = []
    for name, values in outputs.items():
        array = np.asarray(values)
        if array.dtype.kind in "OU":
            array = array.astype(np.object_)
        datatype = from_np_dtype(array.dtype)
        if datatype is None:
            raise TypeError(f"output {name} has element type {array.dtype}, which V2 cannot carry")
        tensors.append(
            InferOutput(name=name, shape=list(array.shape), datatype=datatype, data=array)
        )
    return InferResponse(
        # The SDK demands an id in the answer even when the request had none.
        response_id=request.id or str(uuid.uuid4()),
        model_name=request.model_name,
        model_version=version,
        infer_outputs=tensors,
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=request.request_outputs,
    )


def requested(request: InferRequest, model: LoadedModel) -> list[str]:
    """The outputs that a V2 request wants: those it names, else the model's first.

    Raises:
        InvalidInput: It names one that the model does not have.
    """
    names = [output.name for output in request.request_outputs or []] or [next(iter(model.outputs))]
    for name in names:
        if name not in model.outputs:
            raise InvalidInput(
                f"the model has no output {name!r}, it has {', '.join(model.outputs)}"
            )
    return names


def input_types(model: LoadedModel) -> list[dict[str, Any]]:
    """V2 metadata of the inputs: one tensor per named column, else one matrix."""
    if model.columns is None:
        shape = [-1, -1 if model.features is None else model.features]
        return [{"name": TENSOR, "datatype": model.datatype, "shape": shape}]
    return [{"name": name, "datatype": model.datatype, "shape": [-1, 1]} for name in model.columns]


def output_types(model: LoadedModel) -> list[dict[str, Any]]:
    """V2 metadata of the outputs."""
    return [
        {"name": name, "datatype": datatype, "shape": shape}
        for name, (datatype, shape) in model.output_types.items()
    ]


def _ordered(row: Any, model: LoadedModel, index: int) -> list[Any]:
    if model.columns is None:
        raise InvalidInput("this model's columns have no names: send each row as a list of values")
    if not isinstance(row, dict):
        raise InvalidInput(f"row {index} must be an object, like the rows before it")
    _check_names(set(row), model.columns, f"row {index}")
    return [row[name] for name in model.columns]


def _check_names(given: set[str], wanted: tuple[str, ...], where: str) -> None:
    missing = [name for name in wanted if name not in given]
    unknown = sorted(given - set(wanted))
    if missing:
        raise InvalidInput(f"{where} lacks {_some(missing)}")
    if unknown:
        raise InvalidInput(f"{where} has {_some(unknown)}, which the model does not know")


def _some(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(repr(name) for name in names[:_NAMES_SHOWN]) + (
        f" and {more} more" if more > 0 else ""
    )


def _array(tensor: InferInput) -> Any:
    # numpy would work a negative number out of the others; the protocol knows no such thing.
    if any(size < 0 for size in tensor.shape):
        raise InvalidInput(f"tensor {tensor.name!r} has the shape {list(tensor.shape)}")
    try:
        array = tensor.as_numpy()
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            f"tensor {tensor.name!r} cannot be read as {tensor.datatype} of shape {tensor.shape}: {error}"
        ) from error
    if array.dtype == np.object_:
        decoded = [
            value.decode() if isinstance(value, bytes) else value for value in array.reshape(-1)
        ]
        array = np.array(decoded, dtype=np.object_).reshape(array.shape)
    return array


def _matrix(values: Any, model: LoadedModel) -> Any:
    """The values as the model wants them: a numeric matrix, or a DataFrame with its columns."""
    if model.as_frame:
        import pandas as pd

        _check_shape(np.asarray(values, dtype=np.object_), model)
        return pd.DataFrame(values, columns=list(model.columns or ()))
    try:
        # A row of nulls, or one of another length, fails here too; null alone means "missing" (NaN).
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            array = array.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"the rows are not a matrix of numbers: {error}") from error
    _check_shape(array, model)
    return array


def _check_shape(array: Any, model: LoadedModel) -> None:
    if model.features is None:
        return
    if array.ndim != 2 or array.shape[1] != model.features:
        raise InvalidInput(f"expected shape [rows, {model.features}], got {list(array.shape)}")
    if not array.shape[0]:
        raise InvalidInput("expected at least one row")
