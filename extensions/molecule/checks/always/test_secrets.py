# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After every role: nobody else reads what is not meant for all, and nothing secret stands where all can look."""

from __future__ import annotations

import fnmatch
import os
import stat
import typing as t

# What any user of the machine may read, and why.
PUBLIC = {
    "pki/ca.crt": "callers verify the gateway with it",
    "platform.json": "callers find the gateway with it",
}


def test_others_read_only_what_is_public(instance: t.Any) -> None:
    readable = set(_readable_by_others(instance.home))
    assert readable <= set(PUBLIC), "readable by every user of this machine"


def test_others_change_nothing(instance: t.Any) -> None:
    changeable = [
        path
        for path, found in _walk(instance.home)
        if found.st_mode & stat.S_IWOTH and not stat.S_ISLNK(found.st_mode)
    ]
    assert changeable == []


def test_no_secret_is_in_a_command_line(instance: t.Any, processes: t.Any) -> None:
    secrets = _secrets(instance.home)
    shown = [
        (process.pid, word)
        for process in processes()
        for word in (*process.command, *process.environment)
        for secret in secrets
        if secret in word
    ]
    assert shown == []


def test_no_secret_is_in_a_log(instance: t.Any) -> None:
    secrets = _secrets(instance.home)
    logs = [path for path, _ in _walk(instance.home) if path.startswith("logs/")]
    for log in logs:
        with open(f"{instance.home}/{log}", encoding="utf-8", errors="replace") as file:
            content = file.read()
        assert not any(secret in content for secret in secrets), f"{log} shows a secret"


def _secrets(home: str) -> list[str]:
    """Credentials of model servers, and the first line of each private key's body."""
    found = []
    for path, _ in _walk(home):
        if fnmatch.fnmatch(path, "replicas/*/*.secret"):
            with open(f"{home}/{path}", encoding="ascii") as file:
                found.append(file.read().strip())
        elif fnmatch.fnmatch(path, "*.key") or fnmatch.fnmatch(path, "identity/*.pem"):
            with open(f"{home}/{path}", encoding="ascii") as file:
                found.append(file.read().splitlines()[1])
    return found


def _readable_by_others(home: str) -> t.Iterator[str]:
    closed: set[str] = set()
    for path, found in _walk(home):
        if os.path.dirname(path) in closed:
            if stat.S_ISDIR(found.st_mode):
                closed.add(path)
        elif stat.S_ISDIR(found.st_mode) and not found.st_mode & stat.S_IXOTH:
            closed.add(path)
        elif stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IROTH:
            yield path


def _walk(home: str) -> t.Iterator[tuple[str, os.stat_result]]:
    """Everything below the home, parents first, but the programs that are installed there."""
    for directory, names, files in os.walk(home):
        if directory == home and "runtime" in names:
            names.remove("runtime")
        for name in (*names, *files):
            full = os.path.join(directory, name)
            try:
                yield os.path.relpath(full, home), os.lstat(full)
            except FileNotFoundError:
                continue  # a temporary file, renamed meanwhile
