# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""`python -m inferencebox_samples.train [DIRECTORY]`: train the sample models.

The data sets come inside scikit-learn, so nothing is downloaded, and the same versions of the libraries give the
same files. Without a directory the models replace those of this package.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import joblib
import lightgbm
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PACKAGE = Path(__file__).resolve().parent

# Rows that the example request carries: one of each class.
EXAMPLE_ROWS = {"iris": (0, 50, 100), "wine": (0, 60, 140)}

# Few and small trees: the data set has 178 rows, and the file is read by people.
WINE_PARAMETERS = {
    "objective": "multiclass",
    "num_class": 3,
    "num_leaves": 6,
    "min_data_in_leaf": 5,
    "learning_rate": 0.2,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}
WINE_ROUNDS = 20


def iris_model() -> Any:
    """Train the iris classifier: four lengths in cm to one of three species (0, 1, 2)."""
    data = load_iris()
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)


def wine_model() -> lightgbm.Booster:
    """Train the wine classifier: thirteen named measurements to the probabilities of three growers."""
    data = load_wine()
    # The text format keeps names without spaces and slashes only.
    names = [name.replace("/", "_") for name in data.feature_names]
    train = lightgbm.Dataset(data.data, data.target, feature_name=names)
    return lightgbm.train(WINE_PARAMETERS, train, WINE_ROUNDS)


def example(name: str) -> dict[str, Any]:
    """The V1 request body that is shipped with a sample: a row of each class."""
    data = {"iris": load_iris, "wine": load_wine}[name]()
    return {"instances": [data.data[row].tolist() for row in EXAMPLE_ROWS[name]]}


def main(argv: list[str] | None = None) -> None:
    """Train every sample and write its directory."""
    parser = argparse.ArgumentParser(
        prog="python -m inferencebox_samples.train", description="Train the samples."
    )
    parser.add_argument(
        "directory", type=Path, nargs="?", default=PACKAGE, help="where to write (this package)"
    )
    target = parser.parse_args(argv).directory
    for name in EXAMPLE_ROWS:
        (target / name).mkdir(parents=True, exist_ok=True)
        body = json.dumps(example(name), indent=2) + "\n"
        (target / name / "example.json").write_text(body, encoding="utf-8")
    joblib.dump(iris_model(), target / "iris" / "model.joblib")
    wine_model().save_model(target / "wine" / "model.txt")


if __name__ == "__main__":
    main()
