# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The memory limit of this process, in words."""

from __future__ import annotations

import resource

# What C libraries say when an allocation or a mapping fails.
_MARKS = (
    "bad_alloc",
    "cannot allocate memory",
    "failed to map segment",
    "out of memory",
    "unable to allocate",
    "insufficient memory",
    "start new thread",
)


def is_memory_failure(error: BaseException) -> bool:
    """Whether an error of a library means that no memory was left."""
    return isinstance(error, MemoryError) or names_memory(str(error))


def names_memory(text: str) -> bool:
    """Whether a library's message means that no memory was left."""
    lowered = text.lower()
    return any(mark in lowered for mark in _MARKS)


def limit_bytes() -> int | None:
    """The limit on this process's data in bytes (RLIMIT_DATA); None without one."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if soft == resource.RLIM_INFINITY else soft


def reason(subject: str) -> str:
    """Say that `subject` does not fit into this process's memory, and how much that is."""
    limit = limit_bytes()
    if limit is None:
        return f"not enough memory on this machine for {subject}"
    return f"not enough memory for {subject}: serving.resources.memory allows {limit // 2**20} MiB"
