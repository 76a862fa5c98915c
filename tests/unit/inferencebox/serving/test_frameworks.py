# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Model files of every framework, made here by the framework itself, and files that are none."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .in_runtime import evaluate

# Each file in a directory of its own, as an artifact lies.
_SETUP = """
import os, pickle
import joblib, lightgbm, numpy as np, pandas as pd, xgboost
from pathlib import Path
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from inferencebox.serving.frameworks import load_model

X = np.array([[0.0, 1.0], [1.0, 0.0]] * 20)
y = X[:, 0]

def place(name):
    Path(name).mkdir(exist_ok=True)
    return Path(name)

def dumped(name, thing):
    joblib.dump(thing, place(name) / "model.joblib")

dumped("regression", LinearRegression().fit(X, y))
dumped("classes", LogisticRegression().fit(X, np.where(y > 0, "red", "blue")))
dumped("integers", LogisticRegression().fit(X, y.astype(np.int64)))
dumped("without probabilities", LinearSVC().fit(X, y.astype(np.int64)))
dumped("frame", LinearRegression().fit(pd.DataFrame(X, columns=["a", "b"]), y))
dumped("no estimator", {"weights": [1, 2]})
(place("other package") / "model.pkl").write_bytes(b"cno_such_package\\nThing\\n.")
(place("garbage") / "model.pkl").write_bytes(b"garbage")
(place("raises") / "model.pkl").write_bytes(b"cbuiltins\\nexec\\n(S'raise SystemError(1)'\\ntR.")
quiet = {"verbose": -1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
lightgbm.train(quiet, lightgbm.Dataset(X, y), 2).save_model(place("boosted") / "model.txt")
named = lightgbm.Dataset(X, y, feature_name=["a", "b"])
lightgbm.train(quiet, named, 2).save_model(place("boosted by name") / "model.txt")
three = {**quiet, "objective": "multiclass", "num_class": 3}
lightgbm.train(three, lightgbm.Dataset(X, [0, 1, 2, 1] * 10), 2).save_model(place("boosted classes") / "model.txt")
def trees(name, labels, names=None, **more):
    data = xgboost.DMatrix(X, labels, feature_names=names)
    xgboost.train(more, data, 2).save_model(place(name) / "model.json")
trees("trees", y, objective="reg:squarederror")
trees("trees by name", y, ["a", "b"], objective="reg:squarederror")
trees("trees of classes", [0, 1, 2, 1] * 10, objective="multi:softprob", num_class=3)
(place("no trees") / "model.json").write_text("{}")

def seen(framework, name):
    made = load_model(framework, Path(name), 1)
    columns = list(made.columns) if made.columns else None
    types = {key: [kind, shape] for key, (kind, shape) in made.output_types.items()}
    return [made.features, columns, made.as_frame, made.datatype, types]

def said(framework, name, rows=X[:2], output="predict"):
    return np.asarray(load_model(framework, Path(name), 1).outputs[output](rows)).shape
"""

_GOOD: dict[str, tuple[str, t.Any]] = {
    "regression": (
        "seen('sklearn', 'regression')",
        [2, None, False, "FP64", {"predict": ["FP64", [-1]]}],
    ),
    "classes with names": (
        "seen('sklearn', 'classes')[4]",
        {"predict": ["BYTES", [-1]], "predict_proba": ["FP64", [-1, 2]]},
    ),
    "classes that are numbers": (
        "seen('sklearn', 'integers')[4]",
        {"predict": ["INT64", [-1]], "predict_proba": ["FP64", [-1, 2]]},
    ),
    "classes without probabilities": (
        "seen('sklearn', 'without probabilities')[4]",
        {"predict": ["INT64", [-1]]},
    ),
    "columns with names": ("seen('sklearn', 'frame')[:3]", [2, ["a", "b"], True]),
    "probabilities are answered": (
        "said('sklearn', 'classes', output='predict_proba')",
        [2, 2],
    ),
    "lightgbm": (
        "seen('lightgbm', 'boosted')",
        [2, None, False, "FP64", {"predict": ["FP64", [-1]]}],
    ),
    "lightgbm, columns with names": (
        "seen('lightgbm', 'boosted by name')[:3]",
        [2, ["a", "b"], False],
    ),
    "lightgbm, classes": (
        "seen('lightgbm', 'boosted classes')[4]",
        {"predict": ["FP64", [-1, 3]]},
    ),
    "lightgbm answers as it says": ("said('lightgbm', 'boosted classes')", [2, 3]),
    "xgboost": ("seen('xgboost', 'trees')", [2, None, False, "FP32", {"predict": ["FP32", [-1]]}]),
    "xgboost, columns with names": (
        "seen('xgboost', 'trees by name')[:3]",
        [2, ["a", "b"], False],
    ),
    "xgboost, classes": (
        "seen('xgboost', 'trees of classes')[4]",
        {"predict": ["FP32", [-1, 3]]},
    ),
    "xgboost answers as it says": ("said('xgboost', 'trees of classes')", [2, 3]),
}
_BAD: dict[str, tuple[str, str]] = {
    "an unknown framework": ("seen('onnx', 'trees')", "'onnx' is not one of sklearn, xgboost"),
    "no estimator": (
        "seen('sklearn', 'no estimator')",
        "holds a dict, not a scikit-learn estimator",
    ),
    "a package that is not there": (
        "seen('sklearn', 'other package')",
        "needs the Python package no_such_package, which is not installed here",
    ),
    "garbage": ("seen('sklearn', 'garbage')", "is not a scikit-learn model that can be read"),
    "a file that fails in its own way": ("seen('sklearn', 'raises')", "(SystemError: 1)"),
    "a file of another framework": (
        "seen('lightgbm', 'regression')",
        "holds no LightGBM model file (*.txt, *.bst), but model.joblib",
    ),
    "a file of the right ending only": (
        "seen('xgboost', 'no trees')",
        "is not a XGBoost model that can be read",
    ),
    "nothing": ("seen('sklearn', 'nowhere')", "nowhere does not exist"),
}


@pytest.fixture(scope="module")
def found(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """What became of each expression."""
    cases = {name: case[0] for name, case in (_GOOD | _BAD).items()}
    place = tmp_path_factory.mktemp("frameworks")
    return dict(evaluate(python, _SETUP, cases, place))


@pytest.mark.parametrize("name", _GOOD)
def test_a_loaded_model_says_what_it_takes_and_gives(found: dict[str, t.Any], name: str) -> None:
    assert found[name] == {"value": _GOOD[name][1]}


@pytest.mark.parametrize("name", _BAD)
def test_what_cannot_be_loaded_is_one_sentence(found: dict[str, t.Any], name: str) -> None:
    error = found[name]["error"]
    assert error.startswith("LoadError: ")
    assert _BAD[name][1] in error
    assert "\n" not in error
