# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.inferencebox.serving.replica import (
    Replica,
    command,
    listening_tcp_ports,
    mode,
    start,
    write_spec,
)

ROW = [5.1, 3.5, 1.4, 0.2]
PREDICT = "/v1/models/iris:predict"
INFER = "/v2/models/iris/infer"


def tensor(**keys: Any) -> dict[str, Any]:
    return {"name": "input-0", "shape": [1, 4], "datatype": "FP64", "data": ROW, **keys}


def example(replica: Replica) -> Any:
    path = Path(replica.spec["artifact"]) / "example.json"
    return json.loads(path.read_text(encoding="utf-8"))


class TestV1:
    def test_example_gets_one_class_of_each_kind(self, iris: Replica) -> None:
        answer = iris.client.post(PREDICT, json=example(iris))
        assert answer.json() == {"predictions": [0, 1, 2]}

    def test_body_without_a_content_type_is_json(self, iris: Replica) -> None:
        answer = iris.client.post(PREDICT, content=json.dumps({"instances": [ROW]}))
        assert answer.json() == {"predictions": [0]}

    def test_lightgbm_answers_probabilities(self, wine: Replica) -> None:
        rows = wine.client.post("/v1/models/wine:predict", json=example(wine)).json()["predictions"]
        assert [row.index(max(row)) for row in rows] == [0, 1, 2]
        assert all(sum(row) == pytest.approx(1) for row in rows)

    def test_named_columns_may_come_in_any_order(self, wine: Replica) -> None:
        names = [column["name"] for column in wine.client.get("/v2/models/wine").json()["inputs"]]
        body = example(wine)
        plain = wine.client.post("/v1/models/wine:predict", json=body).json()
        named = [dict(reversed(list(zip(names, row, strict=True)))) for row in body["instances"]]
        assert (
            wine.client.post("/v1/models/wine:predict", json={"instances": named}).json() == plain
        )

    def test_missing_column_is_named(self, wine: Replica) -> None:
        answer = wine.client.post(
            "/v1/models/wine:predict", json={"instances": [{"alcohol": 13.0}]}
        )
        assert answer.status_code == 400
        assert "'malic_acid'" in answer.json()["error"]


class TestV2:
    def test_default_output(self, iris: Replica) -> None:
        answer = iris.client.post(INFER, json={"id": "7", "inputs": [tensor()]}).json()
        assert answer["id"] == "7"
        assert (answer["model_name"], answer["model_version"]) == ("iris", "1")
        (output,) = answer["outputs"]
        assert (output["name"], output["datatype"], output["shape"], output["data"]) == (
            "predict",
            "INT64",
            [1],
            [0],
        )

    def test_requested_probabilities(self, iris: Replica) -> None:
        body = {"inputs": [tensor()], "outputs": [{"name": "predict_proba"}]}
        (output,) = iris.client.post(INFER, json=body).json()["outputs"]
        assert output["shape"] == [1, 3]
        assert output["data"][0] > 0.9

    def test_binary_tensors_both_ways(self, iris: Replica) -> None:
        import numpy as np

        raw = np.array(ROW, dtype=np.float32).tobytes()
        head = tensor(datatype="FP32", parameters={"binary_data_size": len(raw)})
        del head["data"]
        header = json.dumps({"inputs": [head], "parameters": {"binary_data_output": True}}).encode()
        answer = iris.client.post(
            INFER,
            content=header + raw,
            headers={
                "content-type": "application/octet-stream",
                "inference-header-content-length": str(len(header)),
            },
        )
        length = int(answer.headers["inference-header-content-length"])
        assert np.frombuffer(answer.content[length:], dtype=np.int64).tolist() == [0]

    def test_columns_as_tensors(self, wine: Replica) -> None:
        row = example(wine)["instances"][2]
        columns = wine.client.get("/v2/models/wine").json()["inputs"]
        inputs = [
            {**column, "shape": [1, 1], "data": [value]}
            for column, value in zip(columns, row, strict=True)
        ]
        body = {"inputs": list(reversed(inputs))}
        (output,) = wine.client.post("/v2/models/wine/infer", json=body).json()["outputs"]
        assert output["data"].index(max(output["data"])) == 2

    def test_metadata(self, iris: Replica) -> None:
        assert iris.client.get("/v2/models/iris").json() == {
            "name": "iris",
            "versions": ["1"],
            "platform": "sklearn",
            "inputs": [{"name": "input-0", "datatype": "FP64", "shape": [-1, 4]}],
            "outputs": [
                {"name": "predict", "datatype": "INT64", "shape": [-1]},
                {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]},
            ],
        }

    def test_version_paths(self, iris: Replica) -> None:
        body = {"inputs": [tensor()]}
        served = iris.client.post("/v2/models/iris/versions/1/infer", json=body)
        assert served.json()["outputs"][0]["data"] == [0]
        other = iris.client.post("/v2/models/iris/versions/2/infer", json=body)
        assert (other.status_code, other.json()) == (
            404,
            {"error": "model iris has no version '2'"},
        )


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (PREDICT, b"{", "format"),
        (PREDICT, b"[1]", "instances"),
        (PREDICT, b"{}", "instances"),
        (PREDICT, b'{"instances": []}', "instances"),
        (PREDICT, b'{"instances": 3}', "instances"),
        (PREDICT, b'{"instances": [[1, 2]]}', "row 0 has 2 values"),
        (PREDICT, b'{"instances": [[1, 2, 3, 4], [1]]}', "row 1"),
        (PREDICT, b'{"instances": [[1, 2, 3, 4], {"a": 1}]}', "row 1"),
        (PREDICT, b'{"instances": [[1, 2, 3, "x"]]}', "'x'"),
        (PREDICT, b'{"instances": [[1, 2, 3, null]]}', "NaN"),
        (PREDICT, b'{"instances": [[1, 2, 3, [4]]]}', "matrix"),
        (PREDICT, b'{"instances": [{"a": 1}]}', "names"),
        (INFER, b"{", "JSON"),
        (INFER, b'{"inputs": 3}', "inputs"),
        (INFER, b'{"inputs": []}', "inputs"),
        (INFER, json.dumps({"inputs": [tensor(shape=[1, 3])]}).encode(), "shape"),
        (INFER, json.dumps({"inputs": [tensor(shape=[2, 2])]}).encode(), "[rows, 4]"),
        (INFER, json.dumps({"inputs": [tensor(datatype="FP65")]}).encode(), "datatype"),
        (INFER, json.dumps({"inputs": [tensor(datatype="INT8", data=[999] * 4)]}).encode(), "INT8"),
        (INFER, json.dumps({"inputs": [tensor()], "outputs": [{"name": "x"}]}).encode(), "'x'"),
        (INFER, json.dumps({"inputs": [tensor(), tensor()]}).encode(), "same name"),
    ],
)
def test_bad_input_is_400_and_says_why(iris: Replica, path: str, body: bytes, named: str) -> None:
    answer = iris.client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert named in answer.json()["error"]


def binary(raw: bytes, *, size: Any, length: str | None = None) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a V2 request in the binary form."""
    head = tensor(parameters={"binary_data_size": size})
    del head["data"]
    header = json.dumps({"inputs": [head]}).encode()
    return header + raw, {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(header)) if length is None else length,
    }


@pytest.mark.parametrize(
    ("raw", "size", "length"),
    [
        (b"", 32, None),
        (b"\0" * 31, 32, None),
        (b"\0" * 32, -32, None),
        (b"\0" * 32, "32", None),
        (b"\0" * 32, 2**70, None),
        (b"\0" * 32, 32, "many"),
        (b"\0" * 32, 32, "-5"),
        (b"\0" * 32, 32, "999999"),
        (b"\0" * 32, 32, ""),
    ],
)
def test_a_binary_body_that_is_not_what_it_says_is_400(
    iris: Replica, raw: bytes, size: Any, length: str | None
) -> None:
    body, headers = binary(raw, size=size, length=length)
    answer = iris.client.post(INFER, content=body, headers=headers)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_a_broken_cloud_event_is_400(iris: Replica) -> None:
    event = {"ce-specversion": "9", "ce-id": "1", "ce-source": "here", "ce-type": "question"}
    answer = iris.client.post(PREDICT, json={"instances": [ROW]}, headers=event)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/repository/models/iris/unload", 404),
        ("POST", "/v2/repository/models/iris/load", 404),
        ("POST", "/v1/models/iris:explain", 501),
        ("POST", "/v1/models/other:predict", 404),
        ("GET", "/docs", 404),
        ("GET", "/v2/models/iris/", 404),
        ("POST", "/v1/models/iris:predict/", 404),
        ("GET", "/", 404),
    ],
)
def test_what_is_not_served(iris: Replica, method: str, path: str, status: int) -> None:
    answer = iris.client.request(method, path, json={"instances": [ROW]})
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert iris.client.get("/v2/models/iris/ready").status_code == 200


@pytest.mark.parametrize("path", [PREDICT, INFER, "/metrics", "/v2/models/iris", "/nothing"])
@pytest.mark.parametrize(
    "credential", [None, "Bearer", "Bearer wrong", "Basic a-credential-of-tests"]
)
def test_credential_is_demanded(iris: Replica, path: str, credential: str | None) -> None:
    headers = {"authorization": credential} if credential else {}
    assert iris.anonymous.get(path, headers=headers).status_code == 401


def test_nothing_but_the_socket_is_open(iris: Replica) -> None:
    assert listening_tcp_ports(iris.process.pid) == []
    assert mode(iris.spec["socket"]) == 0o660


def test_requests_are_counted_by_tenant_model_and_version(iris: Replica) -> None:
    labels = 'model="iris",protocol="v1",tenant="tenant-a",version="1"'

    def count() -> float:
        lines = iris.client.get("/metrics").text.splitlines()
        series = f'inferencebox_requests_total{{code="200",{labels}}} '
        return sum(float(line.removeprefix(series)) for line in lines if line.startswith(series))

    before = count()
    iris.client.post(PREDICT, json={"instances": [ROW]})
    assert count() == before + 1
    assert (
        f"inferencebox_request_duration_seconds_count{{{labels}}}"
        in iris.client.get("/metrics").text
    )


def test_xgboost_on_one_protocol_in_place_of_a_killed_server(python: Path, tmp_path: Path) -> None:
    train = (
        "import numpy, sys, xgboost\n"
        "rows = numpy.array([[0.0, 1.0], [1.0, 0.0]] * 20)\n"
        "data = xgboost.DMatrix(rows, rows[:, 0], feature_names=['a', 'b'])\n"
        "xgboost.train({'objective': 'reg:squarederror'}, data, 20).save_model(sys.argv[1])\n"
    )
    subprocess.run([python, "-c", train, tmp_path / "model.json"], check=True)
    spec = write_spec(
        tmp_path, name="sum", framework="xgboost", artifact=str(tmp_path), apis=["v2"]
    )
    # What a killed predecessor leaves.
    (tmp_path / "s.sock").touch()
    replica = start(python, spec)
    try:
        inputs = [
            {"name": "b", "shape": [2], "datatype": "FP32", "data": [0.0, 1.0]},
            {"name": "a", "shape": [2], "datatype": "FP32", "data": [1.0, 0.0]},
        ]
        (output,) = replica.client.post("/v2/models/sum/infer", json={"inputs": inputs}).json()[
            "outputs"
        ]
        assert output["data"] == pytest.approx([1.0, 0.0], abs=0.05)
        assert replica.client.post("/v1/models/sum:predict", json={}).status_code == 404
    finally:
        assert replica.stop() == 0
    assert not (tmp_path / "s.sock").exists()


class TestUnusableModels:
    def start(self, python: Path, directory: Path, **keys: Any) -> str:
        spec = write_spec(directory, name="broken", **keys)
        done = subprocess.run(
            command(python, spec), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 3
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("model broken cannot be loaded: ")
        return last

    def test_missing_file(self, python: Path, tmp_path: Path) -> None:
        gone = str(tmp_path / "gone")
        assert f"{gone} does not exist" in self.start(
            python, tmp_path, framework="sklearn", artifact=gone
        )

    def test_file_of_another_framework(self, python: Path, tmp_path: Path, wine: Replica) -> None:
        file = f"{wine.spec['artifact']}/model.txt"
        reason = self.start(python, tmp_path, framework="sklearn", artifact=file)
        assert f"{file} is not a scikit-learn model" in reason

    @pytest.mark.parametrize("mib", [64, 96, 160])
    def test_no_memory(self, python: Path, tmp_path: Path, iris: Replica, mib: int) -> None:
        artifact = iris.spec["artifact"]
        spec = write_spec(tmp_path, name="broken", framework="sklearn", artifact=artifact)
        limited = ["prlimit", f"--data={mib * 2**20}", *command(python, spec)]
        done = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 3
        assert "not enough memory" in done.stderr
        assert f"allows {mib} MiB, at least 256 MiB are needed" in done.stderr
