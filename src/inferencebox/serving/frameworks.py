# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The predictive frameworks: how each one's file is loaded, and what the loaded model takes and gives."""

from __future__ import annotations

import dataclasses
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import memory
from .artifact import find_model_file
from .errors import LoadError


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in memory, the same for every framework.

    Attributes:
        outputs: Output name to function from a matrix [rows, features] (or a DataFrame) to an array [rows, ...].
            The first is the default.
        features: How many columns the matrix has; None when the model does not say.
        columns: The names of the columns, in order; None when the model was trained without.
        as_frame: Whether the model wants a DataFrame, because its own steps choose columns by name.
        datatype: Open Inference Protocol datatype of a numeric input.
        output_types: Output name to (datatype, shape), -1 for any size.
    """

    outputs: dict[str, Callable[[Any], Any]]
    features: int | None
    columns: tuple[str, ...] | None
    as_frame: bool = False
    datatype: str = "FP64"
    output_types: dict[str, tuple[str, list[int]]]


@dataclasses.dataclass(frozen=True)
class Framework:
    """One row of the table: how people call it, its files, its Python package, its loader."""

    title: str
    suffixes: tuple[str, ...]
    package: str
    load: Callable[[Path, int], LoadedModel]


def load_model(framework: str, artifact: Path, threads: int) -> LoadedModel:
    """Load a model file.

    Args:
        framework: A key of `FRAMEWORKS`.
        artifact: The file, or the directory that holds it.
        threads: Compute threads that a prediction may use.

    Raises:
        LoadError: With the reason that the model's owner can act on.
    """
    if framework not in FRAMEWORKS:
        raise LoadError(f"framework {framework!r} is not one of {', '.join(FRAMEWORKS)}")
    entry = FRAMEWORKS[framework]
    path = find_model_file(artifact, entry.suffixes, entry.title)
    try:
        importlib.import_module(entry.package)
    except ModuleNotFoundError as error:
        raise LoadError(
            f"the Python package {error.name} is not installed in the runtime environment"
        ) from error
    except (ImportError, MemoryError, OSError) as error:
        if memory.is_memory_failure(error):
            raise LoadError(memory.reason(entry.title)) from error
        raise LoadError(f"{entry.title} cannot be imported: {error}") from error
    try:
        return entry.load(path, threads)
    except LoadError:
        raise
    except PermissionError as error:
        raise LoadError(f"{path} may not be read by this user") from error
    except ModuleNotFoundError as error:
        raise LoadError(
            f"{path} needs the Python package {error.name}, which is not installed here"
        ) from error
    # A file of unknown origin can fail in any way its format allows: every one of them means "not loadable".
    except Exception as error:
        if memory.is_memory_failure(error):
            raise LoadError(memory.reason(str(path))) from error
        found = f"{type(error).__name__}: {error}".splitlines()[0]
        raise LoadError(
            f"{path} is not a {entry.title} model that can be read ({found})"
        ) from error


def _load_sklearn(path: Path, _threads: int) -> LoadedModel:
    import joblib
    import numpy as np

    with warnings.catch_warnings():
        # Another version's pickle may well work: say it in the log, once, and let the model prove itself.
        warnings.simplefilter("default")
        model = joblib.load(path)
    if not callable(getattr(model, "predict", None)):
        raise LoadError(
            f"{path} holds a {type(model).__name__}, not a scikit-learn estimator with predict()"
        )
    names = getattr(model, "feature_names_in_", None)
    columns = None if names is None else tuple(str(name) for name in names)
    classes = getattr(model, "classes_", None)
    outputs: dict[str, Callable[[Any], Any]] = {"predict": model.predict}
    types: dict[str, tuple[str, list[int]]] = {"predict": ("FP64", [-1])}
    if isinstance(classes, np.ndarray):
        types["predict"] = (_datatype_of(classes), [-1])
        if hasattr(model, "predict_proba"):
            outputs["predict_proba"] = model.predict_proba
            types["predict_proba"] = ("FP64", [-1, len(classes)])
    return LoadedModel(
        outputs=outputs,
        features=getattr(model, "n_features_in_", None),
        columns=columns,
        as_frame=columns is not None,
        output_types=types,
    )


def _load_lightgbm(path: Path, threads: int) -> LoadedModel:
    import lightgbm

    booster = lightgbm.Booster(model_file=str(path))
    names = tuple(booster.feature_name())
    # LightGBM's own names for columns that had none.
    unnamed = names == tuple(f"Column_{index}" for index in range(len(names)))
    per_iteration = booster.num_model_per_iteration()
    return LoadedModel(
        outputs={"predict": lambda rows: booster.predict(rows, num_threads=threads)},
        features=booster.num_feature(),
        columns=None if unnamed else names,
        output_types={"predict": ("FP64", [-1] if per_iteration == 1 else [-1, per_iteration])},
    )


def _load_xgboost(path: Path, threads: int) -> LoadedModel:
    import numpy as np
    import xgboost

    booster = xgboost.Booster({"nthread": threads})
    booster.load_model(str(path))

    def predict(rows: Any) -> Any:
        # A matrix without names: the columns are in the model's order already.
        return booster.inplace_predict(np.asarray(rows, dtype=np.float32), validate_features=False)

    features = booster.num_features()
    shape = list(predict(np.zeros((1, features))).shape)
    return LoadedModel(
        outputs={"predict": predict},
        features=features,
        columns=None if booster.feature_names is None else tuple(booster.feature_names),
        datatype="FP32",
        output_types={"predict": ("FP32", [-1, *shape[1:]])},
    )


def _datatype_of(array: Any) -> str:
    """The Open Inference Protocol's name for an array's element type; text and objects are BYTES."""
    kinds = {"b": "BOOL", "i": "INT", "u": "UINT", "f": "FP"}
    kind = kinds.get(array.dtype.kind, "BYTES")
    return kind if kind in ("BOOL", "BYTES") else f"{kind}{array.dtype.itemsize * 8}"


FRAMEWORKS = {
    "sklearn": Framework("scikit-learn", (".joblib", ".pkl", ".pickle"), "sklearn", _load_sklearn),
    "xgboost": Framework("XGBoost", (".json", ".ubj", ".bst"), "xgboost", _load_xgboost),
    "lightgbm": Framework("LightGBM", (".txt", ".bst"), "lightgbm", _load_lightgbm),
}
