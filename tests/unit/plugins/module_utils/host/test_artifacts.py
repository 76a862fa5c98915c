# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import datetime
import hashlib
import http.server
import ipaddress
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import (
    ArtifactError,
    ChecksumError,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.artifacts import (
    digest_of,
    fetch,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CONTENT = bytes(range(256)) * 5000


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Server(http.server.ThreadingHTTPServer):
    """An https file server that knows ranges and breaks off where a test says so."""

    breaks_after: list[int]
    ranges: list[str | None]
    redirect: str | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/model.bin")
            self.end_headers()
            return
        if not self.path.startswith("/model.bin"):
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        body = CONTENT[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        end = self.server.breaks_after.pop(0) if self.server.breaks_after else len(body)
        self.wfile.write(body[:end])

    def log_message(self, *_: object) -> None:
        """Nothing: pytest's output is for tests."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    both = tmp_path / "server.pem"
    both.write_bytes(
        trusted.read_bytes()
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    running = Server(("127.0.0.1", 0), Handler)
    running.breaks_after, running.ranges = [], []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def url(server: Server, path: str = "model.bin?signature=secret") -> str:
    return f"https://127.0.0.1:{server.server_address[1]}/{path}"


class TestHttps:
    def test_fetched_once(self, server: Server, tmp_path: Path) -> None:
        first = fetch(url(server), tmp_path / "d", sha256(CONTENT))
        assert Path(first.path).read_bytes() == CONTENT
        assert Path(first.path).name == "model.bin"
        assert (first.changed, first.bytes, first.digest) == (True, len(CONTENT), sha256(CONTENT))
        again = fetch(url(server), tmp_path / "d", sha256(CONTENT))
        assert (again.changed, again.path) == (False, first.path)
        assert len(server.ranges) == 1

    def test_broken_connections_are_continued(self, server: Server, tmp_path: Path) -> None:
        server.breaks_after = [500_000, 300_000]
        assert fetch(url(server), tmp_path / "d", sha256(CONTENT)).bytes == len(CONTENT)
        assert server.ranges == [None, "bytes=500000-", "bytes=800000-"]

    def test_a_failed_run_is_continued_by_the_next(self, server: Server, tmp_path: Path) -> None:
        server.breaks_after = [1000] * 4
        with pytest.raises(ArtifactError, match="broke after 1000 of"):
            fetch(url(server), tmp_path / "d", sha256(CONTENT))
        fetch(url(server), tmp_path / "d", sha256(CONTENT))
        assert server.ranges[-1] == "bytes=4000-"

    def test_bytes_of_something_else_are_not_continued(
        self, server: Server, tmp_path: Path
    ) -> None:
        digest = sha256(CONTENT)
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / f".{digest.removeprefix('sha256:')[:12]}.part").write_bytes(b"x" * 1000)
        assert fetch(url(server), tmp_path / "d", digest).digest == digest
        assert server.ranges == ["bytes=1000-", None]

    def test_wrong_checksum_leaves_nothing_to_serve(self, server: Server, tmp_path: Path) -> None:
        with pytest.raises(ChecksumError) as caught:
            fetch(url(server), tmp_path / "d", sha256(b"other"))
        assert sha256(CONTENT) in str(caught.value)
        assert "secret" not in str(caught.value)
        assert list((tmp_path / "d").iterdir()) == []

    def test_refusals(
        self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ArtifactError, match="answers 404"):
            fetch(url(server, "gone"), tmp_path / "d", sha256(CONTENT))
        with pytest.raises(ArtifactError, match="needs a checksum"):
            fetch(url(server), tmp_path / "d")
        with pytest.raises(ArtifactError, match="https"):
            fetch(url(server, "away"), tmp_path / "d", sha256(CONTENT))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ArtifactError, match=r"(?i)certificate"):
            fetch(url(server), tmp_path / "d", sha256(CONTENT))

    def test_check_mode_downloads_nothing(self, server: Server, tmp_path: Path) -> None:
        result = fetch(url(server), tmp_path / "d", sha256(CONTENT), check=True)
        assert (result.changed, result.digest) == (True, sha256(CONTENT))
        assert not (tmp_path / "d").exists()
        assert server.ranges == []


class TestFile:
    def test_file_is_copied_for_every_reader(self, tmp_path: Path) -> None:
        origin = tmp_path / "a model.joblib"
        origin.write_bytes(b"one")
        origin.chmod(0o600)
        result = fetch(f"file://{tmp_path}/a%20model.joblib", tmp_path / "d")
        assert Path(result.path).read_bytes() == b"one"
        assert Path(result.path).stat().st_mode & 0o777 == 0o644
        assert not fetch(f"file://{tmp_path}/a%20model.joblib", tmp_path / "d").changed

    def test_new_content_keeps_the_last_one_for_who_still_serves_it(self, tmp_path: Path) -> None:
        origin = tmp_path / "model.txt"
        paths = []
        for index, content in enumerate((b"one", b"two", b"three")):
            origin.write_bytes(content)
            os.utime(origin, ns=(index, index))
            result = fetch(f"file://{origin}", tmp_path / "d")
            assert result.changed
            paths.append(Path(result.path))
        assert [path.exists() for path in paths] == [False, True, True]

    def test_touched_but_equal_is_no_change(self, tmp_path: Path) -> None:
        origin = tmp_path / "model.txt"
        origin.write_bytes(b"one")
        fetch(f"file://{origin}", tmp_path / "d")
        os.utime(origin, ns=(1, 1))
        assert not fetch(f"file://{origin}", tmp_path / "d").changed

    def test_damage_is_repaired(self, tmp_path: Path) -> None:
        origin = tmp_path / "model.txt"
        origin.write_bytes(b"one")
        first = Path(fetch(f"file://{origin}", tmp_path / "d").path)
        first.write_bytes(b"hacked")
        second = Path(fetch(f"file://{origin}", tmp_path / "d").path)
        assert second.read_bytes() == b"one"

    def test_directory_and_its_checksum(self, tmp_path: Path) -> None:
        origin = tmp_path / "model"
        (origin / "sub").mkdir(parents=True)
        (origin / "a.txt").write_bytes(b"a")
        (origin / "sub" / "b.txt").write_bytes(b"b")
        command = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
        told = subprocess.run(
            command, shell=True, cwd=origin, capture_output=True, text=True, check=True
        )
        checksum = f"sha256:{told.stdout.split()[0]}"
        result = fetch(f"file://{origin}", tmp_path / "d", checksum)
        assert (Path(result.path) / "sub" / "b.txt").read_bytes() == b"b"
        assert (result.digest, result.bytes) == (checksum, 2)

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("file:///nowhere/model", "/nowhere/model does not exist"),
            ("file://host/model", "not an absolute path"),
            ("gs://bucket/model", "cannot be fetched"),
            ("ftp://user:password@host/model", "ftp://host/model cannot be fetched"),
        ],
    )
    def test_refused_sources(self, tmp_path: Path, source: str, reason: str) -> None:
        with pytest.raises(ArtifactError, match=reason):
            fetch(source, tmp_path / "d")

    @pytest.mark.parametrize(
        "checksum", ["abc", "sha256:abc", "md5:" + "0" * 64, "sha256:" + "G" * 64]
    )
    def test_malformed_checksum(self, tmp_path: Path, checksum: str) -> None:
        with pytest.raises(ArtifactError, match="is not a SHA-256"):
            fetch("file:///model", tmp_path / "d", checksum)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment with a package whose import would be noticed."""
    directory = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    (packages,) = directory.glob("lib/python3.*/site-packages")
    package = packages / "models_of_ours"
    (package / "iris").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (package / "iris" / "model.txt").write_bytes(b"model")
    return directory / "bin" / "python"


class TestPython:
    def test_found_without_an_import_and_served_in_place(
        self, environment: Path, tmp_path: Path
    ) -> None:
        source = "python://models_of_ours/iris"
        first = fetch(source, tmp_path / "d", python=str(environment))
        assert (Path(first.path) / "model.txt").read_bytes() == b"model"
        assert (first.changed, first.digest) == (True, digest_of(Path(first.path))[0])
        assert not fetch(source, tmp_path / "d", python=str(environment)).changed

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("python://no_such_package/x", "no package no_such_package"),
            ("python://models_of_ours/roses", "holds no roses"),
            ("python://models_of_ours/../../etc", "does not name a package"),
            ("python://-c/x", "does not name a package"),
        ],
    )
    def test_refused(self, environment: Path, tmp_path: Path, source: str, reason: str) -> None:
        with pytest.raises(ArtifactError, match=reason):
            fetch(source, tmp_path / "d", python=str(environment))

    def test_no_environment_yet(self, tmp_path: Path) -> None:
        with pytest.raises(ArtifactError, match="Install the runtime first"):
            fetch("python://x/y", tmp_path / "d", python=str(tmp_path / "gone"))

    def test_what_would_be_fetched_is_told_before_there_is_an_environment(
        self, tmp_path: Path
    ) -> None:
        told = fetch("python://x/y", tmp_path / "d", python=str(tmp_path / "gone"), check=True)
        assert (told.changed, told.digest) == (True, "")
        assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(("scheme", "package"), [("hf", "huggingface_hub"), ("s3", "boto3")])
def test_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ArtifactError, match=rf"inferencebox\[{scheme}\]"):
        fetch(f"{scheme}://owner/name", tmp_path / "d")


def run_module(
    root: Path, arguments: dict[str, object], *, check: bool = False
) -> dict[str, object]:
    """Run the module as Ansible does: a process that gets its arguments on stdin and answers in JSON."""
    collections = next(
        path for path in sys.path if (Path(path) / "ansible_collections/inferencebox").is_dir()
    )
    done = subprocess.run(
        [sys.executable, root / "plugins/modules/model_artifact.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check}}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": collections},
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_module_goes_on_past_a_failed_item(tmp_path: Path, root: Path) -> None:
    (tmp_path / "model.txt").write_bytes(b"model")
    rows = [
        {"name": "gone", "source": "file:///nowhere", "destination": str(tmp_path / "gone")},
        {
            "name": "there",
            "source": f"file://{tmp_path}/model.txt",
            "destination": str(tmp_path / "d"),
        },
    ]
    told = run_module(root, {"artifacts": rows}, check=True)
    assert told["changed"] is True
    assert not (tmp_path / "d").exists()
    first = run_module(root, {"artifacts": rows})
    assert first["failed_items"] == [
        {"name": "gone", "source": "file:///nowhere", "reason": "/nowhere does not exist"}
    ]
    artifacts = first["artifacts"]
    assert isinstance(artifacts, dict)
    assert list(artifacts) == ["there"]
    assert artifacts["there"]["digest"] == sha256(b"model")
    assert run_module(root, {"artifacts": rows})["changed"] is False


def test_module_refuses_bad_arguments(root: Path) -> None:
    assert run_module(root, {"artifacts": [{"name": "x"}]})["failed"] is True
