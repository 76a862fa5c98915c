# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import subprocess
import sys

import pytest

from inferencebox.serving import memory

_SHOW = (
    "from inferencebox.serving import memory;"
    "print(memory.limit_bytes()); print(memory.reason('the model'))"
)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libgomp.so.1: failed to map segment from shared object"),
        OSError("[Errno 12] Cannot allocate memory"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
        ValueError("Unable to allocate 1.2 GiB for an array"),
    ],
    ids=str,
)
def test_a_librarys_own_words_for_too_little_memory(error: BaseException) -> None:
    assert memory.is_memory_failure(error)


@pytest.mark.parametrize("error", [ValueError("not a pickle"), OSError("No such file"), KeyError()])
def test_another_failure_is_none_of_memory(error: BaseException) -> None:
    assert not memory.is_memory_failure(error)


@pytest.mark.parametrize("limit", [None, 200])
def test_the_reason_names_the_limit_where_there_is_one(limit: int | None) -> None:
    command = [sys.executable, "-c", _SHOW]
    if limit is not None:
        command = ["prlimit", f"--data={limit * 2**20}", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bytes_, reason = done.stdout.splitlines()
    if limit is None:
        assert bytes_ == "None"
        assert reason == "not enough memory on this machine for the model"
    else:
        assert int(bytes_) == limit * 2**20
        assert reason == (
            f"not enough memory for the model: serving.resources.memory allows {limit} MiB"
        )
