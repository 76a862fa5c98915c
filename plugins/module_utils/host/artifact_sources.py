# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where model files come from: one function per scheme, each filling an empty directory.

`artifacts.fetch` calls these; it checks, names and keeps what they bring.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from ..errors import ArtifactError

# A server that sends nothing for this long will not finish.
_STALL_SECONDS = 30.0

# A download that breaks off is continued this many times before it counts as failed.
_ATTEMPTS = 4

_CHUNK_BYTES = 1 << 20

_PARTIAL = http.HTTPStatus.PARTIAL_CONTENT
_RANGE_REFUSED = http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
_FIRST_SERVER_ERROR = http.HTTPStatus.INTERNAL_SERVER_ERROR

# Asks an interpreter where a top-level package lies, without importing the package.
_LOCATE = """
import importlib.util, json, sys
spec = importlib.util.find_spec(sys.argv[1])
found = [] if spec is None else list(spec.submodule_search_locations or [])
print(json.dumps(found))
"""


def shown(source: str) -> str:
    """A source as it may stand in messages: without a password or a signed query."""
    parts = urllib.parse.urlsplit(source)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def local_path(source: str) -> Path:
    """The path that a file:// source names.

    Raises:
        ArtifactError: It names a host, is not absolute, or nothing is there.
    """
    parts = urllib.parse.urlsplit(source)
    path = Path(urllib.parse.unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not path.is_absolute():
        raise ArtifactError(
            f"{shown(source)} is not an absolute path", hint="Write file:///a/path."
        )
    if not os.access(path, os.R_OK):
        reason = "cannot be read by this user" if path.exists() else "does not exist"
        raise ArtifactError(f"{path} {reason}")
    return path


def package_path(source: str, python: str | None) -> Path:
    """The path that a python:// source names inside an environment.

    Args:
        source: python://package/path/inside.
        python: The environment's interpreter, which is asked where the package lies.

    Raises:
        ArtifactError: There is no such environment, package or path.
    """
    package, _, inside = source.partition("://")[2].strip("/").partition("/")
    if not package.isidentifier() or ".." in Path(inside).parts:
        raise ArtifactError(
            f"{source} does not name a package", hint="Write python://package/path."
        )
    if not python:
        raise ArtifactError(f"{source} needs the interpreter of the runtime environment")
    try:
        # Isolated: neither the caller's directory nor its PYTHONPATH belongs to that environment.
        answer = subprocess.run(
            [python, "-I", "-c", _LOCATE, package], capture_output=True, text=True, check=True
        )
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{python} does not exist", hint="Install the runtime first."
        ) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise ArtifactError(f"{python} cannot say where {package} lies: {error}") from error
    locations = [Path(location) for location in json.loads(answer.stdout)]
    if not locations:
        raise ArtifactError(f"the runtime environment has no package {package}")
    for location in locations:
        if (location / inside).exists():
            return location / inside
    raise ArtifactError(f"package {package} holds no {inside} (looked in {locations[0]})")


def copy(path: Path, staging: Path) -> None:
    """Copy a file, or what a directory holds, into `staging`."""
    if path.is_dir():
        shutil.copytree(path, staging, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(path, staging / path.name)


def download(source: str, staging: Path, partial: Path) -> None:
    """Download an https:// source into `staging`, going on where an earlier attempt stopped.

    Args:
        source: The address; redirects are followed as long as they stay on https.
        staging: An empty directory; gets one file, named as the address ends.
        partial: Where bytes are kept until they are all there. Whoever calls verifies the result: bytes
            of an earlier attempt may belong to other content.

    Raises:
        ArtifactError: The server refuses, or the connection broke too often.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _continue_download(source, partial)
            break
        except urllib.error.HTTPError as error:
            if error.code < _FIRST_SERVER_ERROR or attempt == _ATTEMPTS:
                raise ArtifactError(
                    f"{shown(source)} answers {error.code} {error.reason}"
                ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            # An untrusted certificate stays untrusted.
            if attempt == _ATTEMPTS or isinstance(reason, ssl.SSLError):
                raise ArtifactError(f"{shown(source)} cannot be downloaded: {reason}") from error
    name = Path(urllib.parse.unquote(urllib.parse.urlsplit(source).path)).name or "model"
    partial.rename(staging / name)


def _continue_download(source: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(source, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - https only, see fetch
    try:
        response = urllib.request.urlopen(request, timeout=_STALL_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if have and error.code == _RANGE_REFUSED:
            return  # All bytes are here already, or too many: the checksum decides.
        raise
    with response:
        if not response.geturl().startswith("https://"):
            raise ArtifactError(f"{shown(source)} leads to {shown(response.geturl())}, not https")
        # A server that knows no ranges sends everything again.
        goes_on = response.status == _PARTIAL
        expected = response.headers.get("Content-Length")
        with partial.open("ab" if goes_on else "wb") as file:
            before = file.tell()
            shutil.copyfileobj(response, file, _CHUNK_BYTES)
            got = file.tell() - before
    if expected is not None and got != int(expected):
        raise ConnectionError(f"the connection broke after {got} of {expected} bytes")


def hugging_face(source: str, staging: Path) -> None:
    """Download hf://owner/repository[@revision][/path] into `staging`, with the hub's own client.

    Raises:
        ArtifactError: The client is not installed, or the hub refuses.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise _extra_missing("hf", "huggingface-hub") from error
    owner, _, rest = source.removeprefix("hf://").partition("/")
    repository, _, inside = rest.partition("/")
    repository, _, revision = repository.partition("@")
    wanted = [inside, f"{inside}/*"] if inside else None
    try:
        huggingface_hub.snapshot_download(
            repo_id=f"{owner}/{repository}",
            revision=revision or None,
            allow_patterns=wanted,
            local_dir=staging,
        )
    except Exception as error:  # the client's errors share no base
        raise ArtifactError(f"{source} cannot be fetched: {error}") from error
    # The client's bookkeeping of partial downloads.
    shutil.rmtree(staging / ".cache", ignore_errors=True)
    if inside:
        _keep_only(staging, inside)


def s3(source: str, staging: Path) -> None:
    """Download s3://bucket/key (one object, or all below a prefix) into `staging`, with boto3.

    Raises:
        ArtifactError: boto3 is not installed, or the store refuses.
    """
    try:
        import boto3
    except ImportError as error:
        raise _extra_missing("s3", "boto3") from error
    bucket, _, key = source.removeprefix("s3://").partition("/")
    try:
        client = boto3.client("s3")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        prefix = key.rstrip("/") + "/" if key else ""
        for name in keys:
            # "model" is a prefix of "model-old", too: only the object itself and what is below it count.
            inside = Path(name).name if name == key else name.removeprefix(prefix)
            if (name != key and not name.startswith(prefix)) or not inside or name.endswith("/"):
                continue
            target = _inside(staging, inside)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, name, str(target))
    except ArtifactError:
        raise
    except Exception as error:  # botocore makes its error classes at run time
        raise ArtifactError(f"{source} cannot be fetched: {error}") from error


def _inside(staging: Path, name: str) -> Path:
    target = staging / name
    if ".." in target.parts or Path(name).is_absolute():
        raise ArtifactError(f"object key {name!r} would be written outside of its directory")
    return target


def _keep_only(staging: Path, inside: str) -> None:
    """Lift a path below `staging` to its top and drop everything beside it."""
    found = staging / inside
    if not found.exists():
        return
    lifted = staging.with_name(staging.name + ".lifted")
    found.rename(lifted)
    shutil.rmtree(staging)
    if lifted.is_dir():
        lifted.rename(staging)
    else:
        staging.mkdir()
        lifted.rename(staging / found.name)


def _extra_missing(extra: str, package: str) -> ArtifactError:
    return ArtifactError(
        f"{extra}:// sources need the Python package {package}, which is not installed",
        hint=f"Install inferencebox[{extra}].",
    )
