# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Large language models on llama.cpp's server, in this process, on a Unix socket or a pod's port.

The server brings chat, completions, streaming, responses and Anthropic messages itself, asks for the credential on
everything but /health, and counts its own metrics.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xllamacpp

from . import memory
from .artifact import find_model_file
from .errors import LoadError
from .spec import ReplicaSpec

# The first four bytes of every GGUF file (GGUF specification, "File Structure").
GGUF_MAGIC = b"GGUF"

# Tokens of context, shared by all requests that run at once: enough for a conversation, and for a small model
# about 90 MB of cache. The model's own maximum can be many gigabytes.
CONTEXT_TOKENS = 4096

# Requests decoded together; more wait inside the server.
PARALLEL_REQUESTS = 4

SOCKET_MODE = 0o660

_CAUSE = "error loading model: "

# llama.cpp's --verbosity: warnings and errors; one more is several lines per request.
LOG_WARNINGS = 2

_POLL_SECONDS = 0.1


def serve(spec: ReplicaSpec, credential: str) -> None:
    """Load the model and serve it until SIGTERM; requests in flight are finished.

    Args:
        spec: What to serve, and where.
        credential: What callers have to present.

    Raises:
        LoadError: The model cannot be loaded.
    """
    path = find_model_file(spec.artifact, (".gguf",), "GGUF")
    _check_file(path)
    # Signals end the wait below; during the load they only set the flag, which ends it at once after.
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # A killed predecessor leaves its socket file, on which the server cannot bind.
    _remove(spec.socket)
    complaints: list[str] = []
    try:
        with _watched_stderr(complaints):
            server = xllamacpp.Server(_parameters(spec, path, credential))
    except (RuntimeError, MemoryError) as error:
        _remove(spec.socket)
        raise LoadError(_reason(path, complaints, error)) from error
    if spec.socket is not None:
        spec.socket.chmod(SOCKET_MODE)
    print(f"model {spec.name} {spec.version} is loaded (llama.cpp)", file=sys.stderr, flush=True)
    stopping.wait()
    # No new connection finds the server; those that are open finish.
    _remove(spec.socket)
    _wait_until_idle(server, spec.request_timeout_seconds)
    del server


def _remove(socket: Path | None) -> None:
    if socket is not None:
        socket.unlink(missing_ok=True)


def _parameters(spec: ReplicaSpec, path: Path, credential: str) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {spec.name}
    # What ends in .sock is a path.
    params.hostnames = [spec.address if spec.socket is None else str(spec.socket)]
    params.port = spec.port or 0
    params.api_keys = [credential] if credential else []
    params.cpuparams.n_threads = spec.threads
    params.cpuparams_batch.n_threads = spec.threads
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = PARALLEL_REQUESTS
    params.kv_unified = True
    params.n_gpu_layers = 0
    params.timeout_read = params.timeout_write = max(1, round(spec.request_timeout_seconds))
    params.endpoint_metrics = True
    params.endpoint_slots = False
    params.ui = False
    # Browsers of other origins have no business with a socket behind two gateways.
    params.cors_origins = ""
    params.verbosity = LOG_WARNINGS
    # Its default keeps up to 8 GiB of earlier prompts: memory that the model was not given.
    params.cache_ram_mib = 0
    if "embeddings" in spec.apis:
        params.embedding = True
        # OpenAI's embeddings are one vector per text; a model trained as a generator names no pooling itself.
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return params


def _check_file(path: Path) -> None:
    """Refuse what cannot be a model before the server tries, with a better reason than its own."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
        size = path.stat().st_size
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from error
    if magic != GGUF_MAGIC:
        raise LoadError(
            f"{path} is not a GGUF file: it starts with {magic!r}, not {GGUF_MAGIC!r} ({size} bytes)"
        )


def _reason(path: Path, complaints: list[str], error: Exception) -> str:
    said = [line for line in complaints if memory.names_memory(line)]
    if said or memory.is_memory_failure(error):
        return memory.reason(str(path))
    # "llama_model_load: error loading model: tensor ... is not within the file bounds" is what a person can use.
    causes = [line.rpartition(_CAUSE)[2] for line in complaints if _CAUSE in line]
    found = next((cause for cause in causes if "failed to load model from" not in cause), None)
    return f"{path}: {found or (complaints[0] if complaints else error)}"


@contextmanager
def _watched_stderr(complaints: list[str]) -> Iterator[None]:
    """Pass on what the server writes to stderr while it loads, and keep its error lines.

    Its exception says only that it failed; the reason is in its log, written by C++ straight to file descriptor 2.
    """
    kept = os.dup(2)
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)

    def pass_on() -> None:
        with os.fdopen(reader, "rb") as lines:
            for line in lines:
                os.write(kept, line)
                # "0.00.002.304 E srv   load_model: failed to load model": time, level, then the text.
                _, _, rest = line.decode(errors="replace").partition(" ")
                if rest.startswith("E "):
                    complaints.append(rest[2:].strip())

    thread = threading.Thread(target=pass_on, name="stderr", daemon=True)
    thread.start()
    try:
        yield
    finally:
        # Gives descriptor 2 back, which closes the pipe's last writer and so ends the thread.
        os.dup2(kept, 2)
        thread.join()
        os.close(kept)


def _wait_until_idle(server: xllamacpp.Server, limit_seconds: float) -> None:
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline and _requests_in_flight(server):
        time.sleep(_POLL_SECONDS)


def _requests_in_flight(server: xllamacpp.Server) -> int:
    """Requests that the server decodes or keeps waiting, from its own metrics."""
    text: str = server.handle_metrics()
    total = 0.0
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name in ("llamacpp:requests_processing", "llamacpp:requests_deferred"):
            total += float(value)
    return int(total)
