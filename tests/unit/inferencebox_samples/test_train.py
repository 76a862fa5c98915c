# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.runtime_environment import ROOT, runtime_python

SAMPLES = ROOT / "src/inferencebox_samples"
MAX_BYTES = 200_000

# Trains again, then lets the shipped and the new model answer the whole data set.
COMPARE = """
import json, sys
from pathlib import Path
import joblib, lightgbm, numpy
from sklearn.datasets import load_iris, load_wine
from inferencebox_samples import train

shipped, again = Path(sys.argv[1]), Path(sys.argv[2])
train.main([str(again)])

def answers(root):
    iris = joblib.load(root / "iris/model.joblib").predict_proba(load_iris().data)
    wine = lightgbm.Booster(model_file=str(root / "wine/model.txt")).predict(load_wine().data)
    return {"iris": iris, "wine": wine}

old, new = answers(shipped), answers(again)
truth = {"iris": load_iris().target, "wine": load_wine().target}
print(json.dumps({
    name: {
        "difference": float(numpy.abs(old[name] - new[name]).max()),
        "right": float((old[name].argmax(axis=1) == truth[name]).mean()),
    }
    for name in truth
}))
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, float]]]:
    again = tmp_path_factory.mktemp("again")
    done = subprocess.run(
        [runtime_python(), "-c", COMPARE, SAMPLES, again],
        check=True,
        capture_output=True,
        text=True,
    )
    return again, json.loads(done.stdout)


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_shipped_model_is_what_the_script_trains(
    compared: tuple[Path, dict[str, dict[str, float]]], name: str
) -> None:
    again, results = compared
    # Another processor may round differently in the last digits, no more.
    assert results[name]["difference"] < 1e-6
    assert results[name]["right"] > 0.95
    fresh = (again / name / "example.json").read_text(encoding="utf-8")
    assert (SAMPLES / name / "example.json").read_text(encoding="utf-8") == fresh


def test_samples_are_small() -> None:
    assert all(path.stat().st_size < MAX_BYTES for path in SAMPLES.rglob("*"))
